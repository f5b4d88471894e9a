"""Arrays in .npy and .npz files: their headers are compared with what is expected before memory is taken for them.

The headers are matched, never evaluated, and nothing is unpickled. The format: numpy.lib.format.
"""

import re
import struct
import sys
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any, BinaryIO, cast

import numpy as np
from numpy.typing import NDArray

from toolkit.errors import ArtifactError, ToolkitError
from toolkit.files.damage import decoding
from toolkit.files.memory import check_memory
from toolkit.files.regular import opened
from toolkit.files.zips import opened_zip

_MAGIC = b"\x93NUMPY"
# How the length of the header is written, by the format's major version.
_LENGTHS = {1: "<H", 2: "<I", 3: "<I"}
# Longer than that of any array of this project: 32 dimensions of 10 digits take 400 bytes.
_LONGEST_HEADER = 4096
_HEADER = re.compile(
    r"\{\s*'descr':\s*(?P<descr>'[<>=|][a-zA-Z]\d{0,9}(\[\w{1,9}\])?'|\[[^]\n]*\]),\s*"
    r"'fortran_order':\s*(?P<fortran>True|False),\s*"
    r"'shape':\s*\((?P<shape>[\dL,\s]{0,800})\),?\s*\}\s*"
)
# Numbers, raw bytes and texts; no objects, which are pickles, and no times.
_KINDS = "biufcVUS"
_PIECE_BYTES = 1 << 18


@dataclass(frozen=True)
class Header:
    """What an array says of itself. fortran: whether its first index moves fastest."""

    dtype: np.dtype[Any]
    shape: tuple[int, ...]
    fortran: bool

    @property
    def size_bytes(self) -> int:
        """The bytes of its values."""
        return self.dtype.itemsize * prod(self.shape)

    @property
    def is_read(self) -> bool:
        """Whether it is of a kind that is read here."""
        return self.dtype.kind in _KINDS and self.dtype.itemsize > 0

    def __str__(self) -> str:
        return f"{self.dtype} {self.shape}"


@dataclass(frozen=True)
class Expected:
    """What an array must be. dtypes: by name, or a structured one. shape: None if it is free."""

    dtypes: tuple[str | np.dtype[Any], ...]
    shape: tuple[int | None, ...]

    def __str__(self) -> str:
        sizes = ", ".join("any" if size is None else str(size) for size in self.shape)
        return f"{' or '.join(str(dtype) for dtype in self.dtypes)} ({sizes})"

    def fits(self, header: Header) -> bool:
        """Say whether an array is one of these; the order of the bytes of a number does not matter."""
        same = len(header.shape) == len(self.shape) and all(
            size in (None, has) for size, has in zip(self.shape, header.shape, strict=True)
        )
        return same and any(np.dtype(dtype) in (header.dtype, header.dtype.newbyteorder("=")) for dtype in self.dtypes)


class Arrays:
    """The arrays of an open .npz file, by name. Each is read when it is asked for."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        """Read the headers of all; ValueError for what is no array, or does not fill its member of the zip file.

        An array of Python objects is a pickle, of any size. It is refused when it is asked for.
        """
        self._archive = archive
        self._members: dict[str, tuple[zipfile.ZipInfo, Header]] = {}
        for member in archive.infolist():
            name = member.filename.removesuffix(".npy")
            if name == member.filename or name in self._members:
                raise ValueError(f"{member.filename!r} is no array, or is there twice")
            with archive.open(member) as stream:
                header, start = _read_header(cast("BinaryIO", stream))
            if header.is_read and start + header.size_bytes != member.file_size:
                raise ValueError(f"'{name}' claims to be {header}, which its {member.file_size:,} bytes are not")
            self._members[name] = member, header

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the arrays, in the order of the file."""
        return tuple(self._members)

    def header(self, name: str, expected: Expected | None = None) -> Header:
        """Return what an array says of itself; ValueError if there is none, or it is not what is expected."""
        if name not in self._members:
            raise ValueError(f"has no '{name}'; it holds {', '.join(self.names[:20]) or 'nothing'}")
        _, header = self._members[name]
        if not header.is_read:
            raise ValueError(f"'{name}' is {header}; save it as numbers or texts, for example by .astype(str)")
        if expected is not None and not expected.fits(header):
            raise ValueError(f"'{name}' is {header}; allowed: {expected}")
        return header

    def read(self, name: str, expected: Expected | None = None) -> NDArray[Any]:
        """Return an array; ValueError if there is none, or it is not what is expected."""
        header = self.header(name, expected)
        with self._archive.open(self._members[name][0]) as stream:
            _read_header(cast("BinaryIO", stream))
            return _read_values(cast("BinaryIO", stream), header)


@contextmanager
def opened_npz(
    path: Path, *, what: str, error: type[ToolkitError] = ArtifactError, missing: str = "no such file"
) -> Iterator[Arrays]:
    """Yield the arrays of a .npz file; raise ``error`` for whatever is wrong with it, found here or in the block."""
    with opened_zip(path, what=what, error=error, missing=missing) as archive, decoding(path, what, error=error):
        yield Arrays(archive)


def read_npy(path: Path, expected: Expected, *, what: str, error: type[ToolkitError] = ArtifactError) -> NDArray[Any]:
    """Return the array of a .npy file; raise ``error`` where it is not what is expected."""
    with opened(path, error=error) as file, decoding(path, what, error=error):
        header, start = _read_header(file)
        if not expected.fits(header):
            raise ValueError(f"it is {header}; allowed: {expected}")
        if start + header.size_bytes != path.stat().st_size:
            raise ValueError(f"it claims to be {header}, which its {path.stat().st_size:,} bytes are not")
        check_memory(header.size_bytes, what=f"{path}: what it holds", error=error)
        return _read_values(file, header)


def _read_header(stream: BinaryIO) -> tuple[Header, int]:
    """Return what an array says of itself, and how many bytes that took."""
    start = stream.read(len(_MAGIC) + 2)
    if len(start) != len(_MAGIC) + 2 or not start.startswith(_MAGIC) or start[6] not in _LENGTHS:
        raise ValueError("no array in numpy's format")
    length_format = _LENGTHS[start[6]]
    written = stream.read(struct.calcsize(length_format))
    (length,) = struct.unpack(length_format, written)
    if length > _LONGEST_HEADER:
        raise ValueError(f"a header of {length:,} bytes")
    text = stream.read(length).decode("latin-1")
    header = _HEADER.fullmatch(text)
    if len(text) != length or header is None:
        raise ValueError("its header is none that numpy writes")
    shape = tuple(int(size.rstrip("L")) for size in re.findall(r"\d+L?", header["shape"]))
    return Header(_dtype(header["descr"]), shape, header["fortran"] == "True"), len(start) + len(written) + length


def _dtype(descr: str) -> np.dtype[Any]:
    if descr.startswith("["):
        pairs = re.findall(r"\('(\w+)', '([<>|=][a-z]\d+)'\)", descr)
        if repr(pairs) != descr:
            raise ValueError("its header is none that numpy writes")
        return np.dtype(pairs)
    return np.dtype(descr.strip("'"))


def _read_values(stream: BinaryIO, header: Header) -> NDArray[Any]:
    """Return the values behind a header; they go straight to where they stay."""
    values = np.empty(prod(header.shape), header.dtype)
    room = values.view(np.uint8).data if values.size else memoryview(b"")
    filled = 0
    while filled < len(room):
        piece = stream.read(min(_PIECE_BYTES, len(room) - filled))
        if not piece:
            raise ValueError(f"it ends after {filled:,} of {len(room):,} bytes")
        room[filled : filled + len(piece)] = piece
        filled += len(piece)
    if stream.read(1):  # also has a zip file compare its checksum
        raise ValueError(f"more than the {len(room):,} bytes that its header claims")
    native = values.dtype.newbyteorder("=")
    values = values if native == values.dtype else values.astype(native)
    if native.kind == "U" and values.size and int(values.view(np.uint32).max()) > sys.maxunicode:
        raise ValueError("it holds texts with characters that there are none of")
    return values.reshape(header.shape[::-1]).T if header.fortran else values.reshape(header.shape)
