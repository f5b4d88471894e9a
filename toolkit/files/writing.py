"""Files that are never half-written."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from toolkit.errors import UsageError

PARTIAL = ".partial"


@contextmanager
def atomic(path: Path) -> Iterator[Path]:
    """Yield a sibling to write to, and rename it to ``path`` once it is on the disk.

    At every instant, also when the process is killed, ``path`` is the whole old file or the whole new one. The sibling
    keeps the suffix, since writers such as Keras choose the format by it. Errors remove it and leave ``path`` alone.
    UsageError where ``path`` is there and no file: the rename would take the place of a device or a pipe.
    """
    if path.exists() and not path.is_file():
        raise UsageError(f"{path}: a folder, device or pipe; give the name of a file to write")
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.stem}-{os.getpid()}{PARTIAL}{path.suffix}")
    try:
        yield temporary
        _sync(temporary)
        temporary.replace(path)
    except BaseException as error:
        temporary.unlink(missing_ok=True)
        if isinstance(error, OSError) and error.filename is None:  # a full disk shows in write(), which has no name
            error.filename = str(path)
        raise
    _sync(path.parent)


def write_bytes(path: Path, content: bytes) -> None:
    """Write ``content`` atomically."""
    with atomic(path) as temporary:
        temporary.write_bytes(content)


def write_text(path: Path, content: str) -> None:
    """Write ``content`` atomically, as UTF-8."""
    write_bytes(path, content.encode())


def write_json(path: Path, document: Any) -> None:
    """Write ``document`` atomically, indented, with a final line break."""
    write_text(path, json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False) + "\n")


def remove_partials(folder: Path) -> None:
    """Remove what writers that were killed left behind in ``folder``."""
    for leftover in folder.glob(f".*{PARTIAL}*"):
        leftover.unlink(missing_ok=True)


def _sync(path: Path) -> None:
    """Flush a file, or a folder's entries, to the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
