"""The names of files in documents: one of the document's own folder, or one that tells nothing of whose it is."""

import os
from pathlib import Path

# The longest name that Linux's file systems take, in bytes.
LONGEST_BYTES = 255


class FileName(str):
    """A plain name: ValueError for a path, which could lead out of the folder, and for what no file is called."""

    __slots__ = ()

    def __new__(cls, name: str) -> "FileName":
        """Check and make it."""
        if name in ("", ".", "..") or "/" in name or "\\" in name or not name.isprintable():
            raise ValueError(f"{name!r} is no plain file name; it must name a file beside this one")
        if len(name.encode()) > LONGEST_BYTES:
            raise ValueError(f"a file name of {len(name)} characters; the longest has {LONGEST_BYTES} bytes")
        return super().__new__(cls, name)


def relative_to_here(path: Path) -> Path | None:
    """Return a path as it is called from the current folder; None if it does not lie below that.

    So that what is passed on does not tell in whose folder it was made.
    """
    absolute, here = Path(os.path.normpath(path.absolute())), Path.cwd()
    return absolute.relative_to(here) if absolute.is_relative_to(here) else None
