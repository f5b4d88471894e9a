"""Arrays of any numbers to pixels, uint8: by what their type says, or by the values that they hold."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from toolkit.errors import DataError
from toolkit.files.memory import check_memory, release

# Rows that are looked at together if a whole array might not fit in memory.
CHUNK_ROWS = 1000
WHITE = 255
# Numbers of 16 bits are taken to use the whole range if the highest needs the last bit; otherwise it may be 12 bits.
SIXTEEN_BITS = 2**16 - 1


def chunks(array: NDArray[Any], rows: int = CHUNK_ROWS) -> Iterator[NDArray[Any]]:
    """Yield the rows of an array, some at a time; pages of a mapped file leave the memory after their turn."""
    for start in range(0, len(array), rows):
        yield array[start : start + rows]
        release(array)


def gathered(array: NDArray[Any], numbers: NDArray[np.int64]) -> NDArray[Any]:
    """Return a copy of the rows of an array that have these numbers; of a mapped file, no more pages stay in memory."""
    rows = np.empty((len(numbers), *array.shape[1:]), array.dtype)
    for start in range(0, len(numbers), CHUNK_ROWS):
        part = slice(start, start + CHUNK_ROWS)
        rows[part] = array[numbers[part]]
        release(array)
    return rows


def as_pixels(
    parts: Mapping[str, NDArray[Any]], *, origin: str
) -> tuple[dict[str, NDArray[np.uint8]], tuple[str, ...]]:
    """Return the images of each part as (N, H, W, C) uint8, C 1 or 3, and what is to be said of it.

    parts: "training" and others; the channel axis may be absent. Numbers of 0 to 255 stay what they are, rounded; 0 to
    1 of floats, False and True, and the whole range of 16 bits become 0 to 255: one scale for all parts. Raises
    DataError, naming ``origin``, for other values and shapes.
    """
    shaped = {part: _with_channels(images, part=part, origin=origin) for part, images in parts.items()}
    dtypes = {images.dtype.newbyteorder("=") for images in shaped.values()}
    if dtypes == {np.dtype(np.uint8)}:
        return {part: images.astype(np.uint8, copy=False) for part, images in shaped.items()}, ()
    if len(dtypes) > 1:
        what = ", ".join(f"{part} images are {images.dtype}" for part, images in shaped.items())
        raise DataError(f"{origin}: {what}; they must be of one type, of which one scale is made")
    (dtype,) = dtypes
    if dtype.kind not in "biuf":
        raise DataError(f"{origin}: images are {dtype}; pixels must be numbers, 0 to 255 or 0 to 1")
    low, high = _span(list(shaped.values()), origin=origin)
    white = _white(dtype, low, high)
    if white is None:
        raise DataError(
            f"{origin}: pixels are {dtype} from {low:g} to {high:g}; allowed: 0 to 255, floats from 0 to 1, "
            f"or the whole of 16 bits (uint16 up to {SIXTEEN_BITS:,}); scale them"
        )
    size = sum(images.size for images in shaped.values())
    check_memory(size, what=f"{origin}: its pixels", error=DataError)
    made = {part: _scaled(images, white) for part, images in shaped.items()}
    loss = max(lost for _, lost in made.values())
    pixels = {part: scaled for part, (scaled, _) in made.items()}
    if loss == 0 and white == WHITE:
        return pixels, ()
    lost = f"a rounding error of up to {loss:.2g}" if loss else "without loss"
    return pixels, (f"{origin}: pixels are {dtype} of 0 to {white:g}; they became 0 to {WHITE}, {lost}",)


def _with_channels(images: NDArray[Any], *, part: str, origin: str) -> NDArray[Any]:
    if images.ndim == 3:
        images = images[..., np.newaxis]
    if images.ndim != 4 or images.shape[3] not in (1, 3) or 0 in images.shape:
        raise DataError(
            f"{origin}: {part} images have shape {images.shape}; "
            "allowed: (N, height, width), (N, height, width, 1) or (N, height, width, 3)"
        )
    return images


def _span(arrays: list[NDArray[Any]], *, origin: str) -> tuple[float, float]:
    """Return the lowest and the highest value; DataError for what is no number."""
    ends = [(rows.min(), rows.max()) for array in arrays for rows in chunks(array)]
    low, high = float(min(low for low, _ in ends)), float(max(high for _, high in ends))
    if not all(np.isfinite(end) for pair in ends for end in pair):
        raise DataError(f"{origin}: a pixel is no number (NaN or infinite)")
    return low, high


def may_be_pixels(images: NDArray[Any]) -> bool:
    """Say whether the values of an array, of numbers, are in a range that pixels have."""
    low, high = (float(end(images)) for end in (np.min, np.max))
    return _white(images.dtype, low, high) is not None


def _white(dtype: np.dtype[Any], low: float, high: float) -> float | None:
    """Return the value that becomes 255, or None if nothing tells."""
    if dtype.kind == "b" or (dtype.kind == "f" and low >= 0 and high <= 1):
        return 1.0
    if low >= 0 and high <= WHITE:
        return float(WHITE)
    if dtype == np.uint16 and high > SIXTEEN_BITS // 2:
        return float(SIXTEEN_BITS)
    return None


def _scaled(images: NDArray[Any], white: float) -> tuple[NDArray[np.uint8], float]:
    """Return pixels, and by how much the worst of them differs from the value that it was, on the old scale."""
    pixels = np.empty(images.shape, np.uint8)
    worst = 0.0
    done = 0
    for rows in chunks(images):
        values = rows.astype(np.float64)
        rounded = np.rint(values * (WHITE / white))
        pixels[done : done + len(rows)] = rounded
        worst = max(worst, float(np.abs(rounded * (white / WHITE) - values).max()))
        done += len(rows)
    # Less than a float of 32 bits can tell apart at this scale is no loss.
    return pixels, worst if worst > white * np.finfo(np.float32).eps else 0.0
