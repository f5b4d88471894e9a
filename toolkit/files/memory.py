"""Sizes before memory: what a file claims is compared with what this machine has."""

import mmap
from typing import Any

from toolkit import host
from toolkit.errors import ToolkitError

# Of the memory that is free, what the content of one file may take: what is computed of it takes some too.
SHARE = 0.5
# What any process takes in passing: the system is not asked about it.
SMALL_BYTES = 1 << 20


def check_memory(size_bytes: int, *, what: str, error: type[ToolkitError]) -> None:
    """Raise ``error`` for more than half of the free memory. If the system does not tell, nothing is refused."""
    if size_bytes <= SMALL_BYTES:
        return
    available = host.available_memory_bytes()
    if available is not None and size_bytes > SHARE * available:
        raise error(f"{what} needs {size_bytes:,} bytes of memory; {available:,} are free, half of which may be used")


def release(array: Any) -> None:
    """Let the pages of a mapped array leave the memory, what was written to its file too; others stay as they are."""
    mapped = getattr(array, "_mmap", None)
    if mapped is not None:
        mapped.madvise(mmap.MADV_DONTNEED)
