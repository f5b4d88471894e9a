"""Small convolutional networks for microcontrollers, by their shape: ``tiny:width=8,depth=3,conv=separable``.

A block is a convolution without bias, a batch normalization, which exports fold into it, and the activation. All blocks
but the last halve height and width, down to 4, so that most of the computation is on small maps. Global average pooling
and one dense layer follow, whatever the size of the picture.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

from toolkit.errors import UsageError

# From a width of 64 and 8 blocks on, no microcontroller is meant; kernels are odd, so that they have a middle.
ALLOWED: dict[str, Sequence[int | str]] = {
    "width": range(1, 65),
    "depth": range(1, 9),
    "kernel": (3, 5, 7),
    "conv": ("plain", "separable"),
    "reduce": ("pool", "stride"),
}
# A side is halved down to 4, not further: a kernel on less sees mostly padding.
LEAST_HALVED = 2 * 4
# Momentum of the moving statistics of batch normalization: with Keras' 0.99 they still lag behind the weights after the
# hundred batches of a small data set, so validation would measure another network.
MOMENTUM = 0.9


@dataclass(frozen=True)
class TinyShape:
    """The shape of one member; UsageError names what is allowed.

    width: channels of the first block. depth: blocks. kernel: height and width of the convolutions; of windows, steps.
    conv: ``separable`` replaces each convolution but the first by a depthwise one and one of 1×1 (Howard et al. 2017,
    "MobileNets"). reduce: what halves height and width: max pooling, or a stride of the convolution.
    """

    width: int = 8
    depth: int = 5
    kernel: int = 3
    conv: str = "plain"
    reduce: str = "pool"

    def __post_init__(self) -> None:
        for name, allowed in ALLOWED.items():
            if getattr(self, name) not in allowed:
                raise _refused(f"{name}={getattr(self, name)}")

    @classmethod
    def parse(cls, text: str) -> "TinyShape":
        """Return the shape of a comma list of KEY=VALUE: each optional, in any order, none twice."""
        chosen: dict[str, Any] = {}
        for part in text.split(","):
            key, _, value = part.strip().partition("=")
            known = {str(one): one for one in ALLOWED.get(key, ())}
            if value not in known or key in chosen:
                raise _refused(part.strip())
            chosen[key] = known[value]
        return cls(**chosen)

    def __str__(self) -> str:
        """The canonical form: every key with its value, so that a record keeps its meaning if a default changes."""
        return ",".join(f"{field.name}={getattr(self, field.name)}" for field in fields(self))

    def channels(self, block: int) -> int:
        """Return the channels that a block gives out, counted from 0: they double once.

        With as many weights, 5 blocks of 8 and 16 channels were right on 99.2 % of the validation images of MNIST after
        8 epochs, and 4 blocks that go on doubling, from 6 to 24, on 98.8 %.
        """
        return self.width if block == 0 else 2 * self.width


# What the text after the colon of ``tiny:…`` is parsed by.
OPTIONS = TinyShape


def build(keras: Any, *, input_shape: tuple[int, ...], classes: int, activation: str, options: TinyShape) -> Any:
    """Return the network for rows (N, *input_shape); its outputs are probabilities (N, classes).

    Pictures (H, W, C) are convolved in two dimensions, windows (steps, channels) along their steps, as pictures of one
    column. Raises UsageError for rows of single values, which have no order to convolve along.
    """
    if len(input_shape) not in (2, 3):
        raise UsageError(f"tiny takes pictures or windows, these are rows of {input_shape[0]} values; give --model mlp")
    layers, sides = keras.layers, input_shape[:-1]
    is_window = len(sides) == 1
    made = [keras.Input(input_shape, name="image")]
    if is_window:
        made.append(layers.Reshape((*sides, 1, input_shape[-1]), name="column"))
    for block in range(options.depth):
        halves = block < options.depth - 1 and min(sides) >= LEAST_HALVED
        made += _block(layers, options, block, activation, halves=halves, is_window=is_window)
        if halves:  # a stride keeps what an odd side has over, a pool drops it
            sides = tuple((side + (options.reduce == "stride")) // 2 for side in sides)
    made += [
        layers.GlobalAveragePooling2D(name="mean"),
        layers.Dense(classes, activation="softmax", name="probabilities"),
    ]
    return keras.Sequential(made, name="tiny")


def _block(layers: Any, shape: TinyShape, block: int, activation: str, *, halves: bool, is_window: bool) -> list[Any]:
    """Return the layers of a block. is_window: whether it convolves along the first side alone."""

    def over(size: int) -> tuple[int, int]:
        return (size, 1) if is_window else (size, size)

    def activated(convolution: Any, *, place: str = "") -> list[Any]:
        # Every name is in the file several times, of up to 16 kB: they are short.
        normalization = layers.BatchNormalization(momentum=MOMENTUM, name=f"{place}norm_{number}")
        return [convolution, normalization, layers.Activation(activation, name=f"{place}act_{number}")]

    number, kernel, made = block + 1, over(shape.kernel), []
    # In both directions, as kernels of depthwise convolutions have it; one column stays one.
    stride = 2 if halves and shape.reduce == "stride" else 1
    same: dict[str, Any] = {"padding": "same", "use_bias": False}
    if shape.conv == "separable" and block > 0:
        depthwise = layers.DepthwiseConv2D(kernel, strides=stride, name=f"depthwise_{number}", **same)
        made += activated(depthwise, place="inner_")
        kernel, stride = over(1), 1
    made += activated(layers.Conv2D(shape.channels(block), kernel, strides=stride, name=f"conv_{number}", **same))
    if halves and shape.reduce == "pool":
        made.append(layers.MaxPooling2D(over(2), name=f"pool_{number}"))
    return made


def _refused(text: str) -> UsageError:
    known = {
        key: f"{values[0]} to {values[-1]}" if isinstance(values, range) else "|".join(map(str, values))
        for key, values in ALLOWED.items()
    }
    allowed = ", ".join(f"{key}={values}" for key, values in known.items())
    return UsageError(f"tiny takes no '{text}'; allowed after its colon, each once and with commas: {allowed}")
