"""Zip files whose members are looked at before they are inflated."""

import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from toolkit.errors import ToolkitError
from toolkit.files.damage import decoding
from toolkit.files.memory import check_memory
from toolkit.files.regular import opened

# What numpy and Keras write. The others can claim gigabytes for a dictionary.
_COMPRESSIONS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_ENCRYPTED = 0x1
# Deflate makes no more of a byte than this (https://zlib.net/zlib_tech.html).
MOST_INFLATED = 1032


@contextmanager
def opened_zip(
    path: Path, *, what: str, error: type[ToolkitError], missing: str = "no such file"
) -> Iterator[zipfile.ZipFile]:
    """Yield a zip file to read; raise ``error`` where it is none, or claims what it cannot hold or memory cannot.

    A member gives no more bytes than it claims, and an error if it has others.
    """
    with opened(path, error=error, missing=missing) as file, decoding(path, what, error=error):
        archive = zipfile.ZipFile(file)
        with archive:
            for member in archive.infolist():
                if problem := _problem(member):
                    raise ValueError(f"{member.orig_filename!r} {problem}")
            if sum(member.compress_size for member in archive.infolist()) > path.stat().st_size:
                raise ValueError("its parts are longer than itself")
            size = sum(member.file_size for member in archive.infolist())
            check_memory(size, what=f"{path}: what it holds", error=error)
            yield archive


def _problem(member: zipfile.ZipInfo) -> str | None:
    if member.compress_type not in _COMPRESSIONS:
        return "is compressed in a way that is not read here"
    if member.flag_bits & _ENCRYPTED:
        return "is encrypted"
    if member.file_size > MOST_INFLATED * member.compress_size + MOST_INFLATED:
        return f"claims {member.file_size:,} bytes, which {member.compress_size:,} cannot hold"
    return None
