"""Pixels of many photos in one file of the user's cache: the same files are decoded once, and mapped after that.

The file holds the pixels, what could not be read, and the digest of both. It is named after what was read.
"""

import hashlib
import json
import os
import shutil
import struct
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib.metadata import version
from math import prod
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from toolkit.cache import cache_folder
from toolkit.files import atomic
from toolkit.files.memory import release

FOLDER = "photos"
SUFFIX = ".pixels"
# Bytes that the photos of several data sets take together, the newest kept: three sets of 100,000 at 96×96 in colour.
KEPT_BYTES = 8 * 2**30
# Grows when pixels come to be decoded or scaled in another way.
VERSION = 1
# The last bytes of a file: how long the text before them is.
_LENGTH = struct.Struct("<Q")
# Bytes that are hashed together.
_BLOCK_BYTES = 1 << 20


@dataclass(frozen=True)
class Decoded:
    """What was decoded of some files.

    pixels: (N, H, W, C) uint8 of those that can be read, in order. unreadable: why others cannot, by their number.
    """

    pixels: NDArray[np.uint8]
    unreadable: dict[int, str]


def key(files: Sequence[Path], shape: tuple[int, ...], how: str) -> str:
    """Return what a file is named after: what the system says of each photo, and what becomes of them.

    A photo that was written, replaced or moved since then has another time of change, which no program sets.
    """
    digest = hashlib.sha256(f"{VERSION} {version('pillow')} {shape} {how}".encode())
    for file in files:
        about = file.stat()
        digest.update(f"\n{about.st_dev} {about.st_ino} {about.st_size} {about.st_ctime_ns} ".encode())
        digest.update(os.fsencode(file.absolute()))
    return digest.hexdigest()


def find(name: str, shape: tuple[int, ...]) -> Decoded | None:
    """Return the pixels of that key, if they are in the cache and whole. shape: (files, H, W, C)."""
    path = _path(name)
    try:
        with path.open("rb") as file:
            found = _read(file, shape)
        os.utime(path)  # the newest are kept
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError, struct.error):  # damaged
        with suppress(OSError):
            path.unlink()
        return None
    return found


def keep(name: str, shape: tuple[int, ...], fill: Callable[[NDArray[np.uint8]], dict[int, str]]) -> Decoded:
    """Put pixels into the cache under their key, and return them, read-only. OSError if the disk has no room for them.

    fill: writes the pixels of the files that can be read to the first rows of an array of ``shape``, (files, H, W, C),
    and returns why the others cannot be.
    """
    path = _path(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    _make_room(path.parent, prod(shape))
    with atomic(path) as temporary, temporary.open("r+b") as file:
        os.posix_fallocate(file.fileno(), 0, prod(shape))  # a disk that is full now is an error, later a killed process
        pixels = np.memmap(file, np.uint8, "r+", shape=shape)
        unreadable = fill(pixels)
        pixels.flush()
        release(pixels)
        del pixels
        size = (shape[0] - len(unreadable)) * prod(shape[1:])
        file.truncate(size)
        text = json.dumps({"sha256": _sha256(file, size), "unreadable": unreadable}).encode()
        file.seek(size)
        file.write(text + _LENGTH.pack(len(text)))
    with path.open("rb") as file:
        return Decoded(_mapped(file, shape, unreadable), unreadable)


def _path(name: str) -> Path:
    return cache_folder() / FOLDER / f"{name}{SUFFIX}"


def _read(file: BinaryIO, shape: tuple[int, ...]) -> Decoded:
    """Return what a file of the cache holds; an error of many kinds if it is not whole."""
    file.seek(-_LENGTH.size, os.SEEK_END)
    end = file.tell()
    (length,) = _LENGTH.unpack(file.read())
    file.seek(end - length)
    about: dict[str, Any] = json.loads(file.read(length))
    unreadable = {int(number): str(why) for number, why in about["unreadable"].items()}
    size = (shape[0] - len(unreadable)) * prod(shape[1:])
    if end - length != size or _sha256(file, size) != about["sha256"]:
        raise ValueError("not what was written")
    return Decoded(_mapped(file, shape, unreadable), unreadable)


def _mapped(file: BinaryIO, shape: tuple[int, ...], unreadable: dict[int, str]) -> NDArray[np.uint8]:
    return np.memmap(file, np.uint8, "r", shape=(shape[0] - len(unreadable), *shape[1:]))


def _sha256(file: BinaryIO, size: int) -> str:
    digest = hashlib.sha256()
    file.seek(0)
    for start in range(0, size, _BLOCK_BYTES):
        digest.update(file.read(min(_BLOCK_BYTES, size - start)))
    return digest.hexdigest()


def _make_room(folder: Path, size: int) -> None:
    """Remove the oldest files until another one fits, beside them and on the disk. Who has one mapped keeps it."""
    there = sorted(folder.glob(f"*{SUFFIX}"), key=lambda file: file.stat().st_mtime, reverse=True)
    sizes = {file: file.stat().st_size for file in there}
    while there and (sum(sizes.values()) + size > KEPT_BYTES or shutil.disk_usage(folder).free < size):
        sizes.pop(oldest := there.pop())
        oldest.unlink(missing_ok=True)
