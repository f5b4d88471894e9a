"""Open files, and nothing else that a path may lead to."""

import hashlib
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from io import BufferedReader
from pathlib import Path

from toolkit.errors import ArtifactError, ToolkitError

_KINDS = {
    stat.S_IFDIR: "a folder",
    stat.S_IFIFO: "a pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}
# What Git leaves in place of a large file that was not fetched, and how long that is at most
# (https://github.com/git-lfs/git-lfs/blob/main/docs/spec.md).
_POINTER, _POINTER_BYTES = b"version https://git-lfs.github.com/spec/", 1024


def require_file(path: Path, *, error: type[ToolkitError] = ArtifactError, missing: str = "no such file") -> int:
    """Return the size of a file in bytes; raise ``error`` if there is none.

    Also if there is something else: to read a pipe or a device may wait for ever, and a pointer of Git LFS is read as a
    damaged file. What the system makes up as it is read (/proc) has a size of 0, and is refused as an empty file is.
    """
    try:
        status = path.stat()
    except (FileNotFoundError, NotADirectoryError) as problem:
        raise error(f"{path}: {missing}") from problem
    except (OSError, ValueError) as problem:  # ValueError: a name with a null in it
        raise error(f"{path}: cannot be read: {getattr(problem, 'strerror', None) or problem}") from problem
    if not stat.S_ISREG(status.st_mode):
        raise error(f"{path}: {_KINDS.get(stat.S_IFMT(status.st_mode), 'no file')}; give a file")
    if status.st_size == 0:
        raise error(f"{path}: an empty file")
    if status.st_size < _POINTER_BYTES and _begins(path, _POINTER):
        raise error(f"{path}: a pointer of Git LFS, not the file itself; 'git lfs pull' fetches that")
    return status.st_size


def require_no_link(path: Path, *, error: type[ToolkitError] = ArtifactError) -> None:
    """Raise ``error`` for a symbolic link: those alone are followed that the user named."""
    if path.is_symlink():
        raise error(f"{path}: a symbolic link; put there what it leads to")


def _begins(path: Path, start: bytes) -> bool:
    """Say whether a file can be read and begins so."""
    with suppress(OSError), _open(path) as file:
        return file.read(len(start)) == start
    return False


def _open(path: Path) -> BufferedReader:
    """Open a file to read; whatever has taken its place since it was looked at: a pipe is not waited for."""
    return os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb")


@contextmanager
def opened(
    path: Path, *, error: type[ToolkitError] = ArtifactError, missing: str = "no such file"
) -> Iterator[BufferedReader]:
    """Yield a file to read; raise ``error`` for what ``require_file`` refuses, and where it cannot be opened."""
    require_file(path, error=error, missing=missing)
    try:
        reader = _open(path)
    except OSError as problem:
        raise error(f"{path}: cannot be read: {problem.strerror}") from problem
    with reader as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise error(f"{path}: no file; give a file")
        yield file


def read_bytes(
    path: Path, *, most: int, error: type[ToolkitError] = ArtifactError, missing: str = "no such file"
) -> bytes:
    """Return the content of a file; raise ``error`` for more than ``most`` bytes, of which none is read."""
    size = require_file(path, error=error, missing=missing)
    if size > most:
        raise error(f"{path}: has {size:,} bytes; allowed: {most:,}")
    with opened(path, error=error) as file:
        return file.read(size)


def sha256(path: Path) -> str:
    """Return the SHA-256 of a file, in hexadecimal; ArtifactError for what is no file."""
    if path.is_file() and path.stat().st_size == 0:
        return hashlib.sha256(b"").hexdigest()
    with opened(path) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
