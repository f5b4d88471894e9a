"""The memory that is free, and that a process takes."""

from pathlib import Path

from toolkit.host import system


def available_memory_bytes(root: Path = Path("/")) -> int | None:
    """Return the memory that can be taken without swapping, or None if the system does not tell."""
    return system.memory_bytes(root / "proc/meminfo", "MemAvailable")


def process_memory_bytes(field: str, pid: int | str = "self") -> int | None:
    """Return the memory of a process, now (VmRSS) or at its peak (VmHWM), or None if the system does not tell.

    getrusage's ru_maxrss would do for the peak, but on Linux it counts the parent's memory before the exec as well.
    """
    return system.memory_bytes(Path(f"/proc/{pid}/status"), field)
