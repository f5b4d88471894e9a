"""Image files to pixels: read safely, and scaled."""

import functools
import io
import warnings
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from toolkit import extras
from toolkit.errors import DataError, ImageTooLargeError
from toolkit.files import opened
from toolkit.files.damage import decoding
from toolkit.files.memory import check_memory
from toolkit.reading import Resize

# Of what is read here. Pillow reads many more formats, of which EPS is a program that Ghostscript then runs.
READ_SUFFIXES = (".png", ".jpg", ".jpeg", ".jfif", ".bmp", ".gif", ".tif", ".tiff", ".webp", ".pgm", ".ppm")
FORMATS = ("PNG", "JPEG", "BMP", "GIF", "TIFF", "WEBP", "PPM", "AVIF")
# Of photos, also of kinds that Pillow may not read here: such a file is refused by its name, not passed over.
SUFFIXES = (*READ_SUFFIXES, ".avif", ".heic", ".heif", ".jxl")
# How files of those kinds begin, whatever they are called: a box with a brand (ISO/IEC 23008-12, annex B; AV1 Image
# File Format), and the two signatures of JPEG XL (ISO/IEC 18181-2).
_BOX = b"ftyp"
_BRANDS = {
    **dict.fromkeys((b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"), "HEIC"),
    **dict.fromkeys((b"avif", b"avis"), "AVIF"),
}
_JPEG_XL = (b"\xff\x0a", b"\0\0\0\x0cJXL \r\n\x87\n")
# More pixels than a 100-megapixel camera makes: a decompression bomb or a mistake.
MAX_PIXELS = 100_000_000
# What a pixel takes at most until it is one or three bytes: grey of 32 bits, and copies of it. That is 19.3 bytes on
# x86-64 and 20.6 on an emulated Arm CPU (tests/test_images.py).
PIXEL_BYTES = 24
# Tags of TIFF 6.0, and the value of the second where 0 is white.
BITS_PER_SAMPLE, PHOTOMETRIC, WHITE_IS_ZERO = 258, 262, 0
# Values of Exif's orientation that turn an image by a quarter (Exif 2.3, tag 0x0112).
ORIENTATION, QUARTER_TURNS = 0x0112, (5, 6, 7, 8)
# Less contrast than this, of 255: what lies on white paper is white itself.
MIN_CONTRAST = 16


@dataclass(frozen=True)
class ImageHeader:
    """What the header of an image file says: its size in pixels when it is upright, and whether it has no colour."""

    height: int
    width: int
    grey: bool


@dataclass(frozen=True)
class Received:
    """The content of an image file that somebody has sent: it lies on no disk, and has no name."""

    content: bytes

    def __str__(self) -> str:
        return "the image"


# An image file, or what would be one.
Source = Path | Received


def read(source: Source, *, channels: int, enough: int | None = None) -> NDArray[np.uint8]:
    """Read an image file as (H, W, channels) uint8, upright, transparency on paper. DataError if it is none.

    enough: so many pixels of the shorter side are enough. A JPEG may then be decoded at a half, a quarter or an eighth
    of its size, which is much quicker; other files have their size.
    """
    with quiet():
        return decode(source, channels=channels, enough=enough)


def look(source: Source, *, most: int = MAX_PIXELS) -> ImageHeader:
    """Read the header of an image file; DataError if it is none, or ImageTooLargeError if it has more pixels."""
    with quiet():
        return peek(source, most=most)


@contextmanager
def quiet() -> Iterator[None]:
    """Keep Pillow's warnings to itself, in all threads; ``decode`` and ``peek`` are called in such a block."""
    with warnings.catch_warnings(action="ignore"):
        _pillow()  # loaded by one thread
        yield


def decode(source: Source, *, channels: int, enough: int | None = None, most: int | None = None) -> NDArray[np.uint8]:
    """Read an image file as ``read`` does; ImageTooLargeError for more pixels than ``most``, or MAX_PIXELS."""
    pil, ops = _pillow()
    mode = "L" if channels == 1 else "RGB"
    with _opened(source, most=most or MAX_PIXELS) as image:
        if enough is not None:
            image.draft(mode, (enough, enough))
        white = _white(image)
        inverted = _tag(image, PHOTOMETRIC) == WHITE_IS_ZERO
        ops.exif_transpose(image, in_place=True)
        if image.mode.startswith(("I", "F")):  # Pillow would clip these instead of scaling them
            upright = pil.fromarray(_eight_bits(np.asarray(image), white, inverted=inverted))
        elif image.has_transparency_data:
            upright = _on_paper(pil, image)
        else:
            upright = image
        pixels = np.asarray(upright if upright.mode == mode else upright.convert(mode), dtype=np.uint8)
    return pixels.reshape(*pixels.shape[:2], channels)


def peek(source: Source, *, most: int = MAX_PIXELS) -> ImageHeader:
    """Read the header of an image file as ``look`` does."""
    pil, _ = _pillow()
    with _opened(source, most=most) as image:
        # Pillow turns a TIFF itself; a PNG would be decoded to look for Exif data behind its pixels.
        turned = image.format != "TIFF" and pil.Image.getexif(image).get(ORIENTATION) in QUARTER_TURNS
        height, width = (image.width, image.height) if turned else (image.height, image.width)
        return ImageHeader(height, width, _is_grey(image))


def _is_grey(image: Any) -> bool:
    if image.mode == "P":
        palette = np.array(image.getpalette(), np.uint8).reshape(-1, 3)
        return bool((palette == palette[:, :1]).all())
    return image.mode in ("1", "L", "LA", "La", "I", "F") or str(image.mode).startswith("I;16")


def _white(image: Any) -> float | None:
    """Return the value that the format calls white, of pixels that are not of 8 bits; None if it says nothing."""
    if image.mode.startswith("I;16"):
        return float(2 ** (_tag(image, BITS_PER_SAMPLE) or 16) - 1)
    if image.mode == "I" and image.format in ("PNG", "PPM"):  # Pillow scales a PGM of any highest value to 16 bits
        return float(2**16 - 1)
    return 1.0 if image.mode == "F" else None


def _tag(image: Any, number: int) -> int | None:
    """Return the value of a TIFF tag, or the first of several; None for other formats and where it is absent."""
    value = image.tag_v2.get(number) if image.format == "TIFF" else None
    return value[0] if isinstance(value, tuple) else value


def _eight_bits(wide: NDArray[Any], white: float | None, *, inverted: bool) -> NDArray[np.uint8]:
    """Scale grey pixels so that white becomes 255; ValueError if white is not known, or they are not below it.

    Floats of 0 to 1 are what image libraries write; nothing in a file says what other floats mean.
    """
    if white is None:
        raise ValueError("grey of 32 bits, of which no value is white; save it with 8 or 16 bits")
    low, high = wide.min(), wide.max()
    if not (low >= 0 and high <= white):
        raise ValueError(f"pixels from {low:g} to {high:g}; allowed: 0 to {white:g}; scale them")
    scaled = wide.astype(np.float32)
    scaled *= 255 / white
    np.rint(scaled, out=scaled)
    pixels = scaled.astype(np.uint8)
    return 255 - pixels if inverted else pixels


def _on_paper(pil: Any, image: Any) -> Any:
    """Lay an image with transparency on white, or on black if all that can be seen of it is white."""
    clear = image if image.mode == "RGBA" else image.convert("RGBA")
    upright = pil.new("RGB", image.size, "white")
    upright.paste(clear, mask=clear)
    darkest = min(low for low, _ in upright.getextrema())
    faintest, strongest = clear.getchannel("A").getextrema()
    if 255 - darkest < MIN_CONTRAST and faintest < strongest:
        upright = pil.new("RGB", image.size, "black")
        upright.paste(clear, mask=clear)
    return upright


@functools.cache
def _pillow() -> tuple[Any, Any]:
    return extras.load("PIL.Image"), extras.load("PIL.ImageOps")


@contextmanager
def _opened(source: Source, *, most: int) -> Iterator[Any]:
    """Yield an image whose pixels are not decoded yet; DataError if it is none, or larger than is allowed."""
    pil, _ = _pillow()
    with (
        _binary(source) as file,
        decoding(str(source), "an image", error=DataError),
        _in_our_words(pil, source, file, most),
        pil.open(file, formats=FORMATS) as image,
    ):
        if image.format != "MPO" and getattr(image, "is_animated", False):  # a camera's MPO has a preview beside it
            raise DataError(f"{source}: several images in one file, an animation or pages; save the one that is meant")
        pixels = image.width * image.height
        if pixels > most:
            raise ImageTooLargeError(f"{source}: {image.width}×{image.height} pixels; allowed: {most:,} in all")
        check_memory(pixels * PIXEL_BYTES, what=f"{source}: {image.width}×{image.height} pixels", error=DataError)
        yield image


def _binary(source: Source) -> AbstractContextManager[BinaryIO]:
    return io.BytesIO(source.content) if isinstance(source, Received) else opened(source, error=DataError)


@contextmanager
def _in_our_words(pil: Any, source: Source, file: BinaryIO, most: int) -> Iterator[None]:
    """Say of what Pillow refuses to open why: what has more than 179 million pixels, and what is no image."""
    try:
        yield
    except pil.DecompressionBombError as error:
        raise ImageTooLargeError(f"{source}: too many pixels; allowed: {most:,} in all") from error
    except pil.UnidentifiedImageError as error:  # whose message names the open file, not the path
        file.seek(0)
        raise ValueError(_why(file.read(12))) from error


def _why(start: bytes) -> str:
    """Say why Pillow knows nothing of a file that begins so."""
    kind = _BRANDS.get(start[8:12]) if start[4:8] == _BOX else "JPEG XL" if start.startswith(_JPEG_XL) else None
    if kind is None:
        return f"it is none of {', '.join(FORMATS)}"
    return f"it is a photo in {kind}, which is not read here; save it as JPEG or PNG"


def resize(pixels: NDArray[np.uint8], *, height: int, width: int, how: Resize) -> NDArray[np.uint8]:
    """Bring (H, W, C) pixels to (height, width, C); an image of that size stays what it is.

    how: ``fit``, see there; ``crop``: the aspect kept, the middle of what is over; ``stretch``: the aspect not kept.
    """
    if pixels.shape[:2] == (height, width):
        return pixels
    if how == "fit":
        return fit(pixels, height=height, width=width)
    if how == "stretch":
        return _resize(pixels, height, width)
    scale = max(height / pixels.shape[0], width / pixels.shape[1])
    scaled = _resize(pixels, max(height, round(pixels.shape[0] * scale)), max(width, round(pixels.shape[1] * scale)))
    top, left = (scaled.shape[0] - height) // 2, (scaled.shape[1] - width) // 2
    return scaled[top : top + height, left : left + width]


def fit(pixels: NDArray[np.uint8], *, height: int, width: int) -> NDArray[np.uint8]:
    """Scale (H, W, C) pixels into (height, width, C): aspect kept, centred, padded with the border's median colour."""
    scale = min(height / pixels.shape[0], width / pixels.shape[1])
    scaled = _resize(pixels, max(1, round(pixels.shape[0] * scale)), max(1, round(pixels.shape[1] * scale)))
    canvas = np.empty((height, width, pixels.shape[2]), np.uint8)
    canvas[:] = np.median(border(pixels), axis=0)
    top, left = (height - scaled.shape[0]) // 2, (width - scaled.shape[1]) // 2
    canvas[top : top + scaled.shape[0], left : left + scaled.shape[1]] = scaled
    return canvas


def border(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return the outermost pixels, those of the corners twice: (2H + 2W, …) of (H, W, …)."""
    return np.concatenate((pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]))


def _resize(pixels: NDArray[np.uint8], height: int, width: int) -> NDArray[np.uint8]:
    """Resize (H, W, C); Pillow's bicubic filter averages what it shrinks."""
    pil, _ = _pillow()
    squeezed = pixels[..., 0] if pixels.shape[2] == 1 else pixels
    resized = pil.fromarray(squeezed).resize((width, height), pil.Resampling.BICUBIC)
    return np.asarray(resized, dtype=np.uint8).reshape(height, width, pixels.shape[2])
