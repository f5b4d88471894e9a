"""Pixels of many photos in one file of the user's cache: the same files are decoded once, and mapped after that.

Beside the pixels lies a document: what could not be read, and when the pixels were written. If somebody has written to
the file since then, its time tells, without reading gigabytes, and the photos are decoded again.
"""

import hashlib
import os
import shutil
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib.metadata import version
from math import prod
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from toolkit.files import atomic
from toolkit.files.kept import Kept
from toolkit.files.memory import release

FOLDER = "photos"
SUFFIX = ".pixels"
# Bytes that the photos of several data sets take together, the newest kept: three sets of 100,000 at 96×96 in colour.
KEPT_BYTES = 8 * 2**30
# Grows when pixels come to be decoded or scaled in another way.
VERSION = 2


@dataclass(frozen=True)
class Decoded:
    """What was decoded of some files.

    pixels: (N, H, W, C) uint8 of those that can be read, in order. unreadable: why others cannot, by their number.
    """

    pixels: NDArray[np.uint8]
    unreadable: dict[int, str]


@dataclass(frozen=True)
class KeptPixels:
    """What is kept of a file of pixels. written_ns: when it was; unreadable: number and reason of each."""

    written_ns: int
    unreadable: tuple[tuple[int, str], ...]


def key(files: Sequence[Path], shape: tuple[int, ...], how: str) -> Kept:
    """Return the place of the pixels: after what the system says of each photo, and what becomes of them.

    A photo that was written, replaced or moved since then has another time of change, which no program sets.
    """
    digest = hashlib.sha256()
    for file in files:
        about = file.stat()
        digest.update(f"\n{about.st_dev} {about.st_ino} {about.st_size} {about.st_ctime_ns} ".encode())
        digest.update(os.fsencode(file.absolute()))
    how_decoded = {"version": VERSION, "pillow": version("pillow"), "shape": list(shape), "how": how}
    return Kept(FOLDER, {**how_decoded, "files": digest.hexdigest()})


def find(kept: Kept, shape: tuple[int, ...]) -> Decoded | None:
    """Return the pixels of that key, if they are in the cache and whole. shape: (files, H, W, C)."""
    about, path = kept.read(KeptPixels), kept.path.with_suffix(SUFFIX)
    if about is None or not path.is_file():
        return None
    unreadable = dict(about.unreadable)
    rows, there = shape[0] - len(unreadable), path.stat()
    if (there.st_size, there.st_mtime_ns) != (rows * prod(shape[1:]), about.written_ns):
        return None
    if not all(0 <= number < shape[0] for number in unreadable):
        return None
    with suppress(OSError):  # a cache that cannot be written
        os.utime(path, ns=(time.time_ns(), about.written_ns))  # those used last are kept
    return Decoded(_mapped(path, shape, rows), unreadable)


def keep(kept: Kept, shape: tuple[int, ...], fill: Callable[[NDArray[np.uint8]], dict[int, str]]) -> Decoded:
    """Put pixels into the cache under their key, and return them, read-only. OSError if the disk has no room for them.

    fill: writes the pixels of the files that can be read to the first rows of an array of ``shape``, (files, H, W, C),
    and returns why the others cannot be.
    """
    path = kept.path.with_suffix(SUFFIX)
    path.parent.mkdir(parents=True, exist_ok=True)
    _make_room(path.parent, prod(shape))
    with atomic(path) as temporary, temporary.open("r+b") as file:
        os.posix_fallocate(file.fileno(), 0, prod(shape))  # a disk that is full now is an error, later a killed process
        pixels = np.memmap(file, np.uint8, "r+", shape=shape)
        unreadable = fill(pixels)
        pixels.flush()
        release(pixels)
        del pixels
        rows = shape[0] - len(unreadable)
        file.truncate(rows * prod(shape[1:]))
    kept.write(KeptPixels(path.stat().st_mtime_ns, tuple(unreadable.items())))
    return Decoded(_mapped(path, shape, rows), unreadable)


def _mapped(path: Path, shape: tuple[int, ...], rows: int) -> NDArray[np.uint8]:
    return np.memmap(path, np.uint8, "r", shape=(rows, *shape[1:]))


def _make_room(folder: Path, size: int) -> None:
    """Remove those used longest ago until another fits, beside them and on the disk. Who has one mapped keeps it."""
    there = sorted(folder.glob(f"*{SUFFIX}"), key=lambda file: file.stat().st_atime, reverse=True)
    sizes = {file: file.stat().st_size for file in there}
    while there and (sum(sizes.values()) + size > KEPT_BYTES or shutil.disk_usage(folder).free < size):
        sizes.pop(oldest := there.pop())
        oldest.unlink(missing_ok=True)
        oldest.with_suffix(".json").unlink(missing_ok=True)
