"""Image files to pixels: read safely, and scaled."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from toolkit import extras
from toolkit.errors import DataError
from toolkit.files import opened
from toolkit.files.damage import refused
from toolkit.files.memory import check_memory

SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".tif", ".tiff", ".webp", ".pgm", ".ppm")
# More pixels than a 100-megapixel camera makes: a decompression bomb or a mistake.
MAX_PIXELS = 100_000_000
# What a pixel takes at most until it is one or three bytes: grey of 32 bits, and copies of it. That is 19.3 bytes on
# x86-64 and 20.6 on an emulated Arm CPU (tests/test_images.py).
PIXEL_BYTES = 24


def read(path: Path, *, channels: int) -> NDArray[np.uint8]:
    """Read an image file as (H, W, channels) uint8, upright, transparency on white. DataError if it is none."""
    pil = extras.load("PIL.Image")
    ops = extras.load("PIL.ImageOps")
    with _opened(path) as image:
        ops.exif_transpose(image, in_place=True)
        upright = image
        if image.mode.startswith("I"):  # Pillow would clip 16-bit grey to 255 instead of scaling it
            wide = np.asarray(image)
            upright = pil.fromarray((wide >> (8 if wide.max() > 255 else 0)).astype(np.uint8))
        elif image.has_transparency_data:
            clear = image if image.mode == "RGBA" else image.convert("RGBA")
            upright = pil.new("RGB", image.size, "white")
            upright.paste(clear, mask=clear)
            del clear
        mode = "L" if channels == 1 else "RGB"
        pixels = np.asarray(upright if upright.mode == mode else upright.convert(mode), dtype=np.uint8)
    return pixels.reshape(*pixels.shape[:2], channels)


def is_grey(path: Path) -> bool:
    """Say whether an image file holds grey or black-and-white pixels only, by its header."""
    with _opened(path) as image:
        return image.mode in ("1", "L", "I") or str(image.mode).startswith("I;16")


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    """Yield an image whose pixels are not decoded yet; DataError where it is none, or larger than is allowed."""
    pil = extras.load("PIL.Image")
    with (
        opened(path, error=DataError) as file,
        refused(path, "an image", error=DataError),
        _limited(pil),
        pil.open(file) as image,
    ):
        pixels = image.width * image.height
        if pixels > MAX_PIXELS:
            raise DataError(f"{path}: {image.width}×{image.height} pixels; allowed: {MAX_PIXELS:,} in all")
        check_memory(pixels * PIXEL_BYTES, what=f"{path}: {image.width}×{image.height} pixels", error=DataError)
        yield image


@contextmanager
def _limited(pil: Any) -> Iterator[None]:
    """Say of Pillow's own limit, twice this one, what is allowed; near this one it only warns."""
    try:
        with warnings.catch_warnings(action="ignore"):
            yield
    except pil.DecompressionBombError as error:
        raise ValueError(f"more than {MAX_PIXELS:,} pixels") from error


def fit(pixels: NDArray[np.uint8], *, height: int, width: int) -> NDArray[np.uint8]:
    """Scale (H, W, C) pixels into (height, width, C): aspect kept, centred, padded with the border's median colour."""
    scale = min(height / pixels.shape[0], width / pixels.shape[1])
    scaled = _resize(pixels, max(1, round(pixels.shape[0] * scale)), max(1, round(pixels.shape[1] * scale)))
    canvas = np.empty((height, width, pixels.shape[2]), np.uint8)
    canvas[:] = _border_median(pixels)
    top, left = (height - scaled.shape[0]) // 2, (width - scaled.shape[1]) // 2
    canvas[top : top + scaled.shape[0], left : left + scaled.shape[1]] = scaled
    return canvas


def _border_median(pixels: NDArray[np.uint8]) -> NDArray[np.float64]:
    edges = (pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1])
    median: NDArray[np.float64] = np.median(np.concatenate(edges), axis=0)
    return median


def _resize(pixels: NDArray[np.uint8], height: int, width: int) -> NDArray[np.uint8]:
    """Resize (H, W, C); Pillow's bicubic filter averages what it shrinks."""
    pil: Any = extras.load("PIL.Image")
    squeezed = pixels[..., 0] if pixels.shape[2] == 1 else pixels
    resized = pil.fromarray(squeezed).resize((width, height), pil.Resampling.BICUBIC)
    return np.asarray(resized, dtype=np.uint8).reshape(height, width, pixels.shape[2])
