"""A folder of four IDX files, plain or .gz, named as MNIST's are."""

import gzip
import math
import struct
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from toolkit.data.base import IDX_TYPES, Dataset, make_dataset
from toolkit.errors import DataError
from toolkit.files import opened, require_no_link
from toolkit.files.damage import decoding
from toolkit.files.memory import check_memory
from toolkit.files.zips import MOST_INFLATED
from toolkit.reading import AS_THEY_ARE, Reading

SUMMARY = "a folder of IDX files (train-images-idx3-ubyte[.gz] and its three siblings)"
READS = ()
FILES = ("train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte")
MAX_DIMENSIONS = 4


def recognises(path: Path) -> bool:
    """Say whether ``path`` is a folder with at least one of the four files."""
    return path.is_dir() and any(_find(path, name) for name in FILES)


def complete(path: Path) -> bool:
    """Say whether all four files are there."""
    return all(_find(path, name) for name in FILES)


def load(path: Path, reading: Reading = AS_THEY_ARE) -> Dataset:
    """Read the four files of the folder ``path``; there is one way to read them."""
    files = [(name, _find(path, name)) for name in FILES]
    missing = [name for name, file in files if file is None]
    if missing:
        raise DataError(f"{path}: {', '.join(missing)} missing (plain or .gz)")
    given = [file for _, file in files if file]
    for file in given:
        require_no_link(file, error=DataError)
    images, labels, test_images, test_labels = map(read, given)
    return make_dataset((images, labels, test_images, test_labels), name=path.name, origin=str(path), reading=reading)


def read(path: Path) -> NDArray[np.generic]:
    """Read one IDX file. Its header is compared with the bytes that follow before they are kept.

    A plain file is mapped, not read, so that it may be larger than the memory.
    """
    with opened(path, error=DataError) as file, decoding(path, "an IDX file", error=DataError):
        if path.suffix == ".gz":
            with gzip.open(file) as stream:
                dtype, shape, _ = _read_header(stream, path)
                size = dtype.itemsize * math.prod(shape)
                _check_claim(size, path)
                content = stream.read(size + 1)
            if len(content) != size:
                raise DataError(f"{path}: its header says {shape}, its content is not {size:,} bytes long")
            return np.frombuffer(content, dtype).reshape(shape)
        dtype, shape, offset = _read_header(file, path)
        size = dtype.itemsize * math.prod(shape)
        if path.stat().st_size != offset + size:
            raise DataError(f"{path}: its header says {shape}, its content is not {size:,} bytes long")
        return np.memmap(file, dtype, mode="r", offset=offset, shape=shape)


def _check_claim(size: int, path: Path) -> None:
    """Raise DataError for a size that neither the compressed file nor the memory can hold."""
    compressed = path.stat().st_size
    if size > MOST_INFLATED * compressed:
        raise DataError(f"{path}: its header claims {size:,} bytes, which {compressed:,} compressed ones cannot hold")
    check_memory(size, what=f"{path}: what it holds", error=DataError)


def _read_header(stream: BinaryIO | gzip.GzipFile, path: Path) -> tuple[np.dtype[np.generic], tuple[int, ...], int]:
    """Return (element type, shape, length of the header in bytes)."""
    magic = stream.read(4)
    if len(magic) != 4 or magic[:2] != b"\0\0" or magic[2] not in IDX_TYPES or not 1 <= magic[3] <= MAX_DIMENSIONS:
        raise DataError(f"{path}: not an IDX file of whole numbers (it begins with {magic.hex() or 'nothing'})")
    dimensions = stream.read(4 * magic[3])
    if len(dimensions) != 4 * magic[3]:
        raise DataError(f"{path}: ends within its header")
    return IDX_TYPES[magic[2]], struct.unpack(f">{magic[3]}I", dimensions), 4 + len(dimensions)


def _find(folder: Path, name: str) -> Path | None:
    """Return the file of that name, plain or .gz; the dot that some archives have for the second dash is allowed."""
    for spelling in (name, name.replace("-idx", ".idx")):
        for suffix in ("", ".gz"):
            if (file := folder / f"{spelling}{suffix}").is_file():
                return file
    return None
