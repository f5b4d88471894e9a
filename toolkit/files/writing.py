"""Files that are never half-written."""

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from toolkit import locks
from toolkit.errors import UsageError
from toolkit.text import to_json

PARTIAL = ".partial"
# Bytes of the random part of a partial's name, and what its digits look like.
_TOKEN_BYTES = 4
_TOKEN = "[0-9a-f]" * 2 * _TOKEN_BYTES
# Characters of the file's own name in that of its partial, which may then be as long as a name can be.
_OWN_CHARACTERS = 40


@contextmanager
def atomic(path: Path) -> Iterator[Path]:
    """Yield an empty sibling to write to, and rename it to ``path`` once it is on the disk.

    At every instant, also when the process is killed, ``path`` is the whole old file or the whole new one. The sibling
    keeps the suffix, since writers such as Keras choose the format by it. Errors remove it and leave ``path`` alone,
    and so does the next writer in the folder with the sibling that a kill left. UsageError if ``path`` is there and
    no file: the rename would take the place of a device or a pipe.
    """
    if path.exists() and not path.is_file():
        raise UsageError(f"{path}: a folder, device or pipe; give the name of a file to write")
    path.parent.mkdir(parents=True, exist_ok=True)
    remove_partials(path.parent)
    own, token = path.stem[:_OWN_CHARACTERS], secrets.token_hex(_TOKEN_BYTES)
    temporary = path.with_name(f".{own}-{token}{PARTIAL}{path.suffix}")
    try:
        # A full disk shows in write(), which has no name.
        with naming(path), naming_final(temporary, path), locks.held(temporary):
            yield temporary
            _sync(temporary)
            temporary.replace(path)
    except BaseException:
        with suppress(OSError):  # what has failed first says more
            temporary.unlink()
        raise
    _sync(path.parent)


@contextmanager
def naming(path: Path) -> Iterator[None]:
    """Give an OSError of the block a file's name where it has none: a full disk shows in write(), which has none."""
    try:
        yield
    except OSError as error:
        if error.strerror is None:  # numpy counts what it could not write, and says no more
            error.strerror = f"cannot be written ({error}); is the disk full?"
        if error.filename is None:
            error.filename = str(path)
        raise


@contextmanager
def naming_final(scratch: Path, folder: Path) -> Iterator[None]:
    """Let an OSError that names a file in ``scratch`` name the one in ``folder`` that it was to become."""
    try:
        yield
    except OSError as error:
        named = Path(str(error.filename))
        if named.is_relative_to(scratch):
            error.filename = str(folder / named.relative_to(scratch))
        raise


def write_bytes(path: Path, content: bytes) -> None:
    """Write ``content`` atomically."""
    with atomic(path) as temporary:
        temporary.write_bytes(content)


def write_text(path: Path, content: str) -> None:
    """Write ``content`` atomically, as UTF-8."""
    write_bytes(path, content.encode())


def write_json(path: Path, document: Any) -> None:
    """Write ``document`` atomically, indented, with a final line break."""
    write_text(path, to_json(document))


def remove_partials(folder: Path, pattern: str = "") -> None:
    """Remove what writers that were killed left behind in ``folder``, or in those below it that match ``*/``."""
    for leftover in folder.glob(f"{pattern}.*-{_TOKEN}{PARTIAL}*"):
        locks.remove_dead(leftover)


def _sync(path: Path) -> None:
    """Flush a file, or a folder's entries, to the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
