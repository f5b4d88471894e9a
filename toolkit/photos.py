"""Many image files to arrays of one size: decoded by several threads, each image straight to its row.

Many photos lie in a mapped file of the user's cache, so that there may be more than the memory holds, and are decoded
once.
"""

import os
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from math import prod
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from toolkit import decoded, host, images, units
from toolkit.cache import cache_folder
from toolkit.decoded import Decoded
from toolkit.errors import DataError
from toolkit.files.memory import release
from toolkit.images import ImageHeader
from toolkit.reading import LONGEST_SIDE, Reading

T = TypeVar("T")

# What pixels may take of the free memory, and in bytes, before they lie in a file: training takes a copy to the device.
IN_MEMORY_SHARE, IN_MEMORY_BYTES = 0.25, 1 << 28
# Of the free memory, what all images together that are decoded at a time may take.
DECODING_SHARE = 0.25
# Files that are handed to the threads together: Ctrl-C is answered after those that they are at.
BLOCK = 256
# How many files that cannot be read an error names, and a warning lists.
NAMED, LISTED = 5, 20


@dataclass(frozen=True)
class Photos:
    """What was read of each part of a data set.

    pixels: (N, H, W, C) uint8. rows: which of its files those are, (N,). reading: how. notes: what is to be said.
    """

    pixels: dict[str, NDArray[np.uint8]]
    rows: dict[str, NDArray[np.int64]]
    reading: Reading
    notes: tuple[str, ...]


@dataclass(frozen=True)
class Unreadable:
    """An image file that cannot be read; why names it."""

    why: str


def read_all(parts: Mapping[str, Sequence[Path]], reading: Reading, *, what: str) -> Photos:
    """Read the image files of each part, all brought to one size: as asked, as a model takes, or as most of them are.

    what: names the data set. Images stay grey if all are grey. Raises DataError, naming the files, if some cannot
    be read and are not to be skipped, if none is left, and where neither memory nor disk holds the pixels.
    """
    looks = {part: _each(files, images.peek) for part, files in parts.items()}
    every = [look for peeked in looks.values() for look in peeked if isinstance(look, ImageHeader)]
    bad = [look for peeked in looks.values() for look in peeked if isinstance(look, Unreadable)]
    _check(bad, what=what, skip=reading.skip_unreadable)
    if not every:
        raise DataError(f"{what}: no image there can be read: {bad[0].why if bad else 'there is none'}")
    shape = _shape(every, reading)
    others = sum((look.height, look.width) != shape[:2] for look in every)
    notes = []
    if others and reading.image_size is None and reading.model_shape is None:
        notes.append(
            f"{others:,} of {len(every):,} images are not of {shape[0]}×{shape[1]} pixels and were brought to it "
            f"({reading.resize or 'fit'}); --image-size and --resize say otherwise"
        )
    reading = replace(reading, model_shape=shape if shape[2] != _channels(every) else None)
    if others:
        reading = replace(reading, image_size=shape[:2], resize=reading.resize or "fit")
    readable = {
        part: np.flatnonzero([isinstance(look, ImageHeader) for look in peeked]).astype(np.int64)
        for part, peeked in looks.items()
    }
    files = [parts[part][row] for part, rows in readable.items() for row in rows.tolist()]
    made = _decode(files, every, shape, reading, what=what)
    worse = [Unreadable(why) for why in made.unreadable.values()]
    _check(worse, what=what, skip=reading.skip_unreadable)
    bad += worse
    if bad:
        listed = units.first([one.why for one in bad], LISTED, between="; ")
        notes.append(f"images that cannot be read were left out ({len(bad):,}): {listed}")
    kept = np.setdiff1d(np.arange(len(files)), list(made.unreadable))
    pixels, rows = {}, {}
    start = 0
    for part, own in readable.items():
        first, last = np.searchsorted(kept, (start, start + len(own)))
        pixels[part], rows[part] = made.pixels[first:last], own[kept[first:last] - start]
        start += len(own)
    return Photos(pixels, rows, reading, tuple(notes))


def _shape(looks: Sequence[ImageHeader], reading: Reading) -> tuple[int, int, int]:
    """Return (H, W, C) that the images are brought to."""
    channels, taken = _channels(looks), reading.model_shape
    if taken is not None and taken[2] in (1, 3):
        channels = taken[2]
    if reading.image_size is not None:
        return *reading.image_size, channels
    if taken is not None:
        if not all(1 <= side <= LONGEST_SIDE for side in taken[:2]):
            raise DataError(f"a model takes images of {taken[0]} × {taken[1]}; a side has 1 to {LONGEST_SIDE:,} pixels")
        return *taken[:2], channels
    sizes = Counter((look.height, look.width) for look in looks)
    height, width = min(sizes, key=lambda size: (-sizes[size], size))
    return height, width, channels


def _channels(looks: Sequence[ImageHeader]) -> int:
    return 1 if all(look.grey for look in looks) else 3


def _check(unreadable: Sequence[Unreadable], *, what: str, skip: bool) -> None:
    if unreadable and not skip:
        listed = units.first([one.why for one in unreadable], NAMED, between="; ")
        raise DataError(
            f"{what}: {units.count(len(unreadable), 'image')} cannot be read: {listed}. "
            "Remove them, or leave them out by --skip-unreadable"
        )


def _decode(
    files: Sequence[Path], looks: Sequence[ImageHeader], shape: tuple[int, int, int], reading: Reading, *, what: str
) -> Decoded:
    """Return the pixels of files: in memory if they are few, else in a file, from an earlier time if it is there."""

    def fill(pixels: NDArray[np.uint8]) -> dict[int, str]:
        unreadable = _fill(pixels, files, looks, reading)
        if len(unreadable) == len(files):
            raise DataError(f"{what}: no image there can be read: {unreadable[0]}")
        return unreadable

    every = (len(files), *shape)
    if _fits(prod(every)):
        pixels = np.empty(every, np.uint8)
        unreadable = fill(pixels)
        return Decoded(pixels[: len(files) - len(unreadable)], unreadable)
    name = decoded.key(files, every, reading.resize or "fit")
    try:
        return decoded.find(name, every) or decoded.keep(name, every, fill)
    except OSError as error:
        raise DataError(
            f"{every[0]:,} images of {every[1]}×{every[2]} pixels need {prod(every):,} bytes, of memory or of the disk "
            f"of {cache_folder()} ({error.strerror}); make them smaller by --image-size"
        ) from error


def _fits(size: int) -> bool:
    """Say whether pixels of that many bytes are held in memory."""
    free = host.available_memory_bytes()
    return size <= IN_MEMORY_BYTES and (free is None or size <= IN_MEMORY_SHARE * free)


def _fill(
    pixels: NDArray[np.uint8], files: Sequence[Path], looks: Sequence[ImageHeader], reading: Reading
) -> dict[int, str]:
    """Write the pixels of the files that can be read to the first rows; return why others cannot, by their number."""
    numbers = {file: number for number, file in enumerate(files)}
    _, height, width, channels = pixels.shape

    def decode(file: Path) -> None:
        image = images.decode(file, channels=channels)
        pixels[numbers[file]] = images.resize(image, height=height, width=width, how=reading.resize or "fit")

    results = _each(files, decode, threads=_threads(looks), after_block=lambda: release(pixels))
    unreadable = {number: result.why for number, result in enumerate(results) if isinstance(result, Unreadable)}
    if unreadable:
        for to, row in enumerate(row for row in range(len(files)) if row not in unreadable):
            pixels[to] = pixels[row]
    return unreadable


def _each(
    files: Sequence[Path],
    task: Callable[[Path], T],
    *,
    threads: int | None = None,
    after_block: Callable[[], None] = lambda: None,
) -> list[T | Unreadable]:
    """Return what the task makes of each file; an Unreadable if it raises DataError."""

    def attempt(file: Path) -> T | Unreadable:
        try:
            return task(file)
        except DataError as error:
            return Unreadable(str(error))

    results: list[T | Unreadable] = []
    with images.quiet(), ThreadPoolExecutor(threads or _cores()) as pool:
        for start in range(0, len(files), BLOCK):
            results += pool.map(attempt, files[start : start + BLOCK])
            after_block()
    return results


def _threads(looks: Sequence[ImageHeader]) -> int:
    """Return how many images may be decoded at a time: as many as there are cores, fewer of very large ones."""
    free = host.available_memory_bytes()
    if free is None:
        return _cores()
    largest = images.PIXEL_BYTES * max(look.height * look.width for look in looks)
    return max(1, min(_cores(), int(DECODING_SHARE * free / largest)))


def _cores() -> int:
    return len(os.sched_getaffinity(0))
