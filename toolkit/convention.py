"""What a model's numbers mean: the range of its pixels, their layout, and what its outputs are."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from math import isfinite
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from toolkit.errors import UsageError
from toolkit.files.documents import LATER

if TYPE_CHECKING:
    from toolkit.manifest import TensorSpec

OPTION = "--input-range"
_ALLOWED = (
    "LOW..HIGH, what pixels of 0 and 255 become, such as 0..1, 0..255 or -1..1; or MEAN,STD of pixels from 0 to 1, "
    "one of each or three of each; bgr: before it if the model takes blue first and red last, as in bgr:0..255"
)
_BGR = "bgr"
# The greatest end of a range: float32 holds it, and what layers make of it.
GREATEST = 1e30
# How far from 1 the probabilities of one image may sum in float32.
SUM_TOLERANCE = 1e-3
_CHANNELS = (1, 3)
# About 1/256: steps of 8 bits from 0 to 1; and of how many outputs more different ones than those tell at once.
STEPS, FIRST = (1 / 512, 1 / 128), 4096


class Layout(StrEnum):
    """Where the channels of an input stand; NHW: grey images, without an axis for their one channel.

    values: no images; rows of data of any shape, which the input takes as they are.
    """

    NHWC = "NHWC"
    NCHW = "NCHW"
    NHW = "NHW"
    VALUES = "values"


class Output(StrEnum):
    """What a classifier answers with: one number a class, or one for two classes."""

    PROBABILITIES = "probabilities"
    LOGITS = "logits"
    SIGMOID = "sigmoid"
    SIGMOIDS = "sigmoids"


@dataclass(frozen=True)
class Convention:
    """What a model's input and output mean.

    low, high: the values that pixels of 0 and of 255 become; one for all channels, or one for each; of no meaning where
    the input takes values. output: None if nobody has said, as in older manifests; it is then judged by the outputs.
    bgr: whether the input takes blue first and red last, as OpenCV reads images; low and high are in that order, too.
    """

    low: tuple[float, ...] = (0.0,)
    high: tuple[float, ...] = (1.0,)
    layout: Layout = Layout.NHWC
    output: Output | None = field(default=None, metadata=LATER)
    bgr: bool = field(default=False, metadata=LATER)

    def __post_init__(self) -> None:
        if len(self.low) != len(self.high) or len(self.low) not in _CHANNELS:
            raise ValueError(f"{len(self.low)} low and {len(self.high)} high values; allowed: one of each, or three")
        if not all(isfinite(value) for value in (*self.low, *self.high)) or not all(self.spans):
            raise ValueError(f"{self.low} to {self.high} is no range of pixels")

    @property
    def spans(self) -> tuple[float, ...]:
        """How much a pixel of 255 is above one of 0."""
        return tuple(high - low for low, high in zip(self.low, self.high, strict=True))

    def __str__(self) -> str:
        """Return the range as ``parse`` takes it, or that values are no pixels."""
        if self.layout == Layout.VALUES:
            return "values"
        first = f"{_BGR}:" if self.bgr else ""
        if len(self.low) == 1:
            return f"{first}{self.low[0]:g}..{self.high[0]:g}"
        means = (-low / span for low, span in zip(self.low, self.spans, strict=True))
        return first + ",".join(f"{value:g}" for value in (*means, *(1 / span for span in self.spans)))

    @property
    def formula(self) -> str:
        """How a pixel becomes a value of the input, as a C program would write it."""
        if self.layout == Layout.VALUES:
            return "value"
        if len(self.low) > 1:
            spans, lows = (f"{{{', '.join(f'{value:.9g}' for value in ends)}}}" for ends in (self.spans, self.low))
            return f"pixel / 255 * {spans}[channel] + {lows}[channel]"
        (low,), (span,) = self.low, self.spans
        scaled = {255.0: "pixel", 1.0: "pixel / 255"}.get(span, f"pixel / 255 * {span:.9g}")
        return f"{scaled} {'-' if low < 0 else '+'} {abs(low):.9g}" if low else scaled

    @property
    def dtype(self) -> np.dtype[Any]:
        """The type of rows of data: pixels are bytes."""
        return np.dtype(np.float32 if self.layout == Layout.VALUES else np.uint8)

    def taking(self, rows: NDArray[Any]) -> "Convention":
        """Return this convention if these rows of data, (N, …), are pixels, else one for values."""
        return self if rows.dtype == np.uint8 else Convention(layout=Layout.VALUES, output=self.output)

    def row_shape(self, shape: Sequence[int | None]) -> tuple[int | None, ...]:
        """Return the shape of one row of data, (H, W, C) for an image, of that of an input, (batch, …)."""
        size = tuple(shape[1:])
        if self.layout == Layout.NHW:
            return (*size, 1)
        return (*size[1:], *size[:1]) if self.layout == Layout.NCHW else size

    def values(self, rows: NDArray[Any]) -> NDArray[np.float32]:
        """Return what the model takes for rows of data: pixels (N, H, W, C) uint8 in its range and its layout, float32.

        Raises UsageError if the range is of other channels.
        """
        if self.layout == Layout.VALUES:
            return rows.astype(np.float32, copy=False)
        if self.bgr and rows.shape[-1] == 1:
            raise UsageError(f"{OPTION} {self} is of three channels, the images have one")
        if len(self.low) not in (1, rows.shape[-1]):
            raise UsageError(f"the input range is of {len(self.low)} channels, the images have {rows.shape[-1]}")
        low, high = (np.asarray(ends, np.float32) for ends in (self.low, self.high))
        values: NDArray[np.float32] = (rows[..., ::-1] if self.bgr else rows) * (high - low)
        values /= np.float32(255)
        values += low
        if self.layout == Layout.NHW:
            return values[..., 0]
        return np.ascontiguousarray(np.moveaxis(values, -1, 1)) if self.layout == Layout.NCHW else values

    def answers(self, outputs: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return outputs with a column for each class: (N, 1), which tells two classes apart, becomes (N, 2).

        A sigmoid is the probability of the second class, a logit its lead over the first.
        """
        if self.output is None or outputs.ndim != 2 or outputs.shape[1] != 1:
            return outputs
        first = 1 - outputs if self.output == Output.SIGMOID else np.zeros_like(outputs)
        return np.concatenate([first, outputs], axis=1)

    def probabilities(self, outputs: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return (N, classes) answers as probabilities: those of logits by the softmax, others as they are."""
        return softmax(outputs) if self.output == Output.LOGITS else outputs


# What models take: as Keras' guides have it, in float; as bytes; as MobileNet and others were trained.
STANDARD = (Convention(), Convention((0.0,), (255.0,)), Convention((-1.0,), (1.0,)))


def parse(text: str) -> Convention:
    """Return the convention of a range as users write it; UsageError if it is none."""
    order, colon, rest = text.rpartition(":")
    if colon and order.strip().lower() == _BGR:
        return replace(parse(rest), bgr=True)
    number = r"\s*([-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?)\s*"
    wrong = UsageError(f"{OPTION} is '{text}'; allowed: {_ALLOWED}")
    if ends := re.fullmatch(rf"{number}\.\.{number}", text):
        low, high = (float(end) for end in ends.groups())
        if low == high or max(abs(low), abs(high)) > GREATEST:
            raise wrong
        return Convention((low,), (high,))
    parts = text.split(",")
    if len(parts) not in [2 * channels for channels in _CHANNELS] or not all(re.fullmatch(number, p) for p in parts):
        raise wrong
    values = [float(part) for part in parts]
    means, deviations = values[: len(values) // 2], values[len(values) // 2 :]
    if not all(0 <= mean <= 1 for mean in means) or not all(1 / GREATEST < one < GREATEST for one in deviations):
        raise wrong
    pairs = list(zip(means, deviations, strict=True))
    return Convention(tuple(-mean / std for mean, std in pairs), tuple((1 - mean) / std for mean, std in pairs))


# What models of ImageNet take besides those (https://keras.io/api/applications, preprocess_input): as torchvision
# normalizes the channels, and less their means, blue first, as Caffe did.
TORCH = parse("0.485,0.456,0.406,0.229,0.224,0.225")
_CAFFE_MEANS = (103.939, 116.779, 123.68)
CAFFE = Convention(tuple(-mean for mean in _CAFFE_MEANS), tuple(255 - mean for mean in _CAFFE_MEANS), bgr=True)


def from_message(message: dict[str, Any] | None) -> Convention | None:
    """Return a convention that another process of this project sent as a document.

    By hand: what ``documents.convert`` imports would count as memory and cold start of what a benchmark opens.
    """
    if message is None:
        return None
    ends = tuple(message["low"]), tuple(message["high"])
    output = None if message.get("output") is None else Output(message["output"])
    return Convention(*ends, Layout(message["layout"]), output, bgr=bool(message.get("bgr")))


def from_tensor(spec: "TensorSpec") -> Convention | None:
    """Return the range that follows from the quantization of an input; None if it could be any.

    Bytes without a scale are pixels. With one, the range is that of all bytes, if both its ends lie within a step of
    those of a standard range: 1/127.5 and 127 is -1..1.
    """
    dtype = np.dtype(spec.dtype)
    if dtype.kind not in "iu":
        return None
    if spec.scale is None or spec.zero_point is None:
        return STANDARD[1] if dtype != np.int8 else None
    if dtype.itemsize > 1:
        return None
    limits = np.iinfo(dtype)
    ends = [(limit - spec.zero_point) * spec.scale for limit in (limits.min, limits.max)]
    for known in STANDARD:
        if all(abs(end - own) <= spec.scale for end, own in zip(ends, (*known.low, *known.high), strict=True)):
            return known
    return None


def byte_range(spec: "TensorSpec") -> Convention:
    """Return the range in which an input with a scale is given the bytes of pixels, 0 as its lowest value."""
    scale, limits = spec.scale or 1.0, np.iinfo(np.dtype(spec.dtype))
    low, high = ((limit - (spec.zero_point or 0)) * scale for limit in (limits.min, limits.max))
    return Convention((low,), (high,))


def layout_of(shape: Sequence[int | None]) -> Layout:
    """Return the layout that the shape of an input, (N, …), can have; channels last if both fit."""
    if len(shape) not in (3, 4):
        return Layout.VALUES
    if len(shape) == 3:
        return Layout.NHW
    first = shape[1] in _CHANNELS and shape[3] not in _CHANNELS
    return Layout.NCHW if first else Layout.NHWC


def sizes_for(shape: Sequence[int | None], row: Sequence[int]) -> tuple[int, ...]:
    """Return the sizes of a row, (H, W, C) of an image, as an input (batch, …) has them: some have no axis for grey."""
    if layout_of(shape) == Layout.NCHW:
        return (*row[-1:], *row[:-1])
    return tuple(row)[: len(shape) - 1]


def fits(shape: Sequence[int | None], sizes: Sequence[int | None]) -> bool:
    """Say whether a shape can have these sizes. One that it leaves free is any."""
    return len(shape) == len(sizes) and all(has in (None, size) for has, size in zip(shape, sizes, strict=True))


def takes(shape: Sequence[int | None], rows: NDArray[Any]) -> bool:
    """Say whether an input, (batch, …), takes rows of data, (N, …)."""
    return fits(Convention(layout=layout_of(shape)).taking(rows).row_shape(shape), rows.shape[1:])


def image_shape(shape: Sequence[int | None]) -> tuple[int, int, int] | None:
    """Return (H, W, C) of the images that an input, (batch, …), takes; None if it takes none, or none of one size."""
    row = Convention(layout=layout_of(shape)).row_shape(shape)
    sizes = [size for size in row if size is not None]
    return (sizes[0], sizes[1], sizes[2]) if len(row) == len(sizes) == 3 else None


def output_of(outputs: NDArray[np.float32], *, step: float | None = None) -> Output:
    """Judge what outputs (N, classes) are. step: of a quantized output."""
    classes, step = outputs.shape[1], step or step_of(outputs)
    if classes > 1 and sum_to_one(outputs, tolerance=SUM_TOLERANCE + classes * (step or 0.0)):
        return Output.PROBABILITIES
    if outputs.min() >= 0 and outputs.max() <= 1:
        return Output.SIGMOID if classes == 1 else Output.SIGMOIDS
    return Output.LOGITS


def step_of(outputs: NDArray[np.float32]) -> float | None:
    """Return the step of float outputs that a model rounds to 8 bits inside, as a quantized softmax does.

    None if they are not all multiples of one step that 8 bits have from 0 to 1, two neighbours among them.
    """
    if len(np.unique(outputs.ravel()[:FIRST])) > 2**8 + 1:  # as of most, whose outputs need not all be sorted
        return None
    seen = np.unique(outputs)
    if not (2 < len(seen) <= 2**8 + 1 and 0 <= seen[0] < seen[-1] <= 1):
        return None
    least = np.diff(seen).min()
    if least <= STEPS[0]:
        return None
    step = seen[-1] / np.rint(seen[-1] / least)
    places = outputs / step
    is_rounded = step < STEPS[1] and np.abs(places - np.rint(places)).max() < SUM_TOLERANCE
    return float(step) if is_rounded else None


def sum_to_one(outputs: NDArray[np.float32], *, tolerance: float = SUM_TOLERANCE) -> bool:
    """Say whether the outputs of every image, (N, classes), sum to 1."""
    return bool(np.abs(outputs.sum(axis=1) - 1).max() <= tolerance)


def softmax(outputs: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the probabilities of outputs that are logits."""
    powers = np.exp(outputs.astype(np.float64) - outputs.max(axis=1, keepdims=True))
    probabilities: NDArray[np.float32] = (powers / powers.sum(axis=1, keepdims=True)).astype(np.float32)
    return probabilities
