"""Many image files to arrays of one size: decoded by several threads, each image straight to its row.

Where an array would take much of the memory it lies in a file that the system may write out, so that there may be more
images than the memory holds.
"""

import os
import tempfile
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from math import prod
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from toolkit import host, images
from toolkit.cache import cache_folder
from toolkit.errors import DataError
from toolkit.files.memory import release
from toolkit.images import Look
from toolkit.reading import Reading

T = TypeVar("T")

# Of the free memory, what an array may take before it lies in a file: training takes a copy to the device.
IN_MEMORY_SHARE = 0.25
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
    every = [look for found in looks.values() for look in found if isinstance(look, Look)]
    bad = [look for found in looks.values() for look in found if isinstance(look, Unreadable)]
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
    reading = replace(reading, model_shape=None)
    if others:
        reading = replace(reading, image_size=shape[:2], resize=reading.resize or "fit")
    pixels, rows = {}, {}
    for part, files in parts.items():
        readable = [row for row, look in enumerate(looks[part]) if isinstance(look, Look)]
        pixels[part], kept, worse = _read([files[row] for row in readable], every, shape, reading)
        rows[part] = np.array(readable, np.int64)[kept]
        _check(worse, what=what, skip=reading.skip_unreadable)
        bad += worse
    if bad:
        listed = "; ".join(one.why for one in bad[:LISTED]) + ("; …" if len(bad) > LISTED else "")
        notes.append(f"images that cannot be read were left out ({len(bad):,}): {listed}")
    return Photos(pixels, rows, reading, tuple(notes))


def _shape(looks: Sequence[Look], reading: Reading) -> tuple[int, int, int]:
    """Return (H, W, C) that the images are brought to."""
    channels = 1 if all(look.grey for look in looks) else 3
    taken = reading.model_shape
    if taken is not None and taken[2] in (1, 3):
        channels = taken[2]
    if reading.image_size is not None:
        return *reading.image_size, channels
    if taken is not None:
        return *taken[:2], channels
    sizes = Counter((look.height, look.width) for look in looks)
    height, width = min(sizes, key=lambda size: (-sizes[size], size))
    return height, width, channels


def _check(unreadable: Sequence[Unreadable], *, what: str, skip: bool) -> None:
    if unreadable and not skip:
        count = len(unreadable)
        raise DataError(
            f"{what}: {count} image{'s' if count > 1 else ''} cannot be read: "
            f"{'; '.join(one.why for one in unreadable[:NAMED])}{'; …' if count > NAMED else ''}. "
            "Remove them, or leave them out by --skip-unreadable"
        )


def _read(
    files: Sequence[Path], looks: Sequence[Look], shape: tuple[int, int, int], reading: Reading
) -> tuple[NDArray[np.uint8], NDArray[np.int64], list[Unreadable]]:
    """Return the pixels of the files that can be read, the numbers of those files, and why others cannot."""
    pixels = _room((len(files), *shape))
    numbers = {file: number for number, file in enumerate(files)}
    height, width, channels = shape

    def fill(file: Path) -> None:
        image = images.decode(file, channels=channels)
        pixels[numbers[file]] = images.resize(image, height=height, width=width, how=reading.resize or "fit")

    results = _each(files, fill, threads=_threads(looks), after_block=lambda: release(pixels))
    rows = np.flatnonzero([not isinstance(result, Unreadable) for result in results])
    for to, row in enumerate(rows):
        if to != row:
            pixels[to] = pixels[row]
    return pixels[: len(rows)], rows, [result for result in results if isinstance(result, Unreadable)]


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


def _threads(looks: Sequence[Look]) -> int:
    """Return how many images may be decoded at a time: as many as there are cores, fewer of very large ones."""
    free = host.available_memory_bytes()
    if free is None:
        return _cores()
    largest = images.PIXEL_BYTES * max(look.height * look.width for look in looks)
    return max(1, min(_cores(), int(DECODING_SHARE * free / largest)))


def _room(shape: tuple[int, ...]) -> NDArray[np.uint8]:
    """Return an array in memory, or in a file without a name where memory is short."""
    size, free = prod(shape), host.available_memory_bytes()
    if free is None or size <= IN_MEMORY_SHARE * free:
        return np.empty(shape, np.uint8)
    folder = cache_folder()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder) as file:
            os.posix_fallocate(file.fileno(), 0, size)  # a disk that is full now is an error, later a killed process
            return np.memmap(file, np.uint8, "r+", shape=shape)
    except OSError as error:
        raise DataError(
            f"{shape[0]:,} images of {shape[1]}×{shape[2]} pixels need {size:,} bytes, of memory or of the disk of "
            f"{folder} ({error.strerror}); make them smaller by --image-size"
        ) from error


def _cores() -> int:
    return len(os.sched_getaffinity(0))
