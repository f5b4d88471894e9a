"""The name of a file in a document: one of its own folder."""

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
