"""What a model is to see of an image file: the whole, in its size, or each digit in a photo."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from toolkit import images, runs
from toolkit.convention import Layout
from toolkit.digits import ENOUGH, Box, Page, canvas_ink, find, is_mnist, looks, to_form
from toolkit.errors import ArtifactError, DataError
from toolkit.files.memory import check_memory
from toolkit.images import Source
from toolkit.manifest import Manifest
from toolkit.reading import AS_THEY_ARE, Reading, Resize
from toolkit.runtimes.base import Predictor

# Data sets of handwritten digits: photos are brought to their form. Others are only scaled. Where nobody says what a
# model has learned from, the size of its images and the number of its classes are theirs.
DIGITS = ("mnist", "sample")
DIGITS_SHAPE, DIGITS_CLASSES = (28, 28, 1), 10


@dataclass(frozen=True)
class Form:
    """What a model takes: images of one size.

    digits: whether they are of handwritten digits, which are looked for in photos; how: others are brought to the size.
    """

    height: int
    width: int
    channels: int
    digits: bool
    how: Resize


@dataclass(frozen=True)
class View:
    """What the model is to see, and where in the image it is from.

    looks: (N, H, W, C), the image or digit as it is, then turned: the answer for it is the mean of those for its looks.
    """

    looks: NDArray[np.uint8]
    box: Box | None = None

    @property
    def pixels(self) -> NDArray[np.uint8]:
        """The image or digit as it is: (H, W, C)."""
        pixels: NDArray[np.uint8] = self.looks[0]
        return pixels


def looks_of(views: Sequence[View]) -> int:
    """Return how many images a model is to answer for, of all views together."""
    return sum(len(view.looks) for view in views)


@dataclass(frozen=True)
class Image:
    """One image file. page: where its digits were looked for; views: nothing if it was refused, for a reason."""

    name: str
    pixels: NDArray[np.uint8] | None = None
    page: Page | None = None
    views: Sequence[View] = ()
    refusal: str | None = None


def form_of(session: Predictor, manifest: Manifest | None, *, images: int = 1, warn: Callable[[str], None]) -> Form:
    """Return what an artifact takes; ArtifactError for what is no image, or is too large for so many images.

    warn: told that digits are looked for, if nobody says that the model has learned from them.
    """
    model, shape = session.path, session.convention.row_shape(session.input.shape)
    source, read_as = _learned_from(model, manifest)
    is_values = session.convention.layout == Layout.VALUES
    if is_values or len(shape) != 3 or shape[2] not in (1, 3):
        raise ArtifactError(
            f"{model}: takes {'values ' if is_values else ''}{shape}; allowed: (height, width, 1 or 3) images"
        )
    height, width = (own or recorded for own, recorded in zip(shape[:2], read_as.image_size or shape[:2], strict=True))
    channels = shape[2]
    if height is None or width is None:
        raise ArtifactError(f"{model}: takes images of any size; {_fixed(session, channels)}")
    # Its pixels, and as float32: the scaled ones of a batch, and those of all images beside.
    check_memory(images * height * width * channels * 5, what=f"{model}: its input {shape}", error=ArtifactError)
    if source is None:
        digits = (height, width, channels) == DIGITS_SHAPE and session.output.shape[-1:] == (DIGITS_CLASSES,)
        if digits:
            warn(
                f"{model}: nothing says what it has learned from; its input is that of MNIST, so digits are looked for"
            )
    else:
        digits = channels == 1 and source in DIGITS
    # As the images that it has learned from were, if they were not of one size.
    return Form(height, width, channels, digits, read_as.resize or "fit")


def _fixed(session: Predictor, channels: int) -> str:
    """Return how a file that takes one size is made of a file that takes any."""
    if session.path.suffix != ".onnx":
        return "'toolkit export' makes files that take one, as --input-shape or the data say"
    first = session.convention.layout == Layout.NCHW
    sizes = f"1,{channels},HEIGHT,WIDTH" if first else f"1,HEIGHT,WIDTH,{channels}"
    program = "python -m onnxruntime.tools.make_dynamic_shape_fixed"
    return f"'{program} --input_name {session.input.name} --input_shape {sizes} {session.path} fixed.onnx' gives it one"


def prepare(source: Source, form: Form) -> Image:
    """Return an image with what the model is to see of it, the whole or each digit in it, or why that is nothing."""
    name = str(source)
    try:
        pixels = images.read(source, channels=form.channels, enough=ENOUGH if form.digits else None)
        # Of fewer pixels than are enough, the decoder has left out none.
        photo = images.look(source) if min(pixels.shape[:2]) >= ENOUGH else None
    except DataError as error:
        return Image(name, refusal=str(error))
    return of_pixels(name, pixels, form, photo=None if photo is None else (photo.height, photo.width))


def of_pixels(name: str, pixels: NDArray[np.uint8], form: Form, *, photo: tuple[int, int] | None = None) -> Image:
    """Return (H, W, C) pixels with what the model is to see of them, as ``prepare`` does.

    photo: the height and width of the image that they were scaled down from; None if they are all of it.
    """
    height, width = form.height, form.width
    if not form.digits:
        whole = images.resize(pixels, height=height, width=width, how=form.how)
        return Image(name, pixels, views=[View(whole[np.newaxis])])
    grey = pixels[..., 0]
    if is_mnist(grey, height=height, width=width):
        return Image(name, pixels, views=[View(pixels[np.newaxis])])
    if (drawing := canvas_ink(grey, height=height, width=width)) is not None:
        digit = to_form(drawing, height=height, width=width)
        return Image(name, pixels, views=[View(digit[np.newaxis, ..., np.newaxis])])
    page = find(grey, photo=photo)
    if page.refusal is not None:
        return Image(name, pixels, page, refusal=f"{name}: {page.refusal}")
    views = [View(looks(one.ink, height=height, width=width)[..., np.newaxis], one.box) for one in page.digits]
    return Image(name, pixels, page, views)


def _learned_from(model: Path, manifest: Manifest | None) -> tuple[str | None, Reading]:
    """Return the name of the data that a model has learned from, None if nobody says, and how they were read."""
    if manifest is not None:
        return manifest.data.name, manifest.data.reading
    run = runs.folder_of(model)
    return (None, AS_THEY_ARE) if run is None else (runs.read_config(run)["data"]["name"], runs.reading_of(run))
