"""The files in which Linux tells of itself, below a root: those of a test, or ``/``."""

from pathlib import Path


def read(path: Path) -> str | None:
    """Return the content of a file, None if there is none."""
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return None


def number(path: Path) -> float | None:
    """Return the number that a file holds, None if it holds none."""
    try:
        return float(read(path) or "")
    except ValueError:
        return None


def fields(text: str) -> dict[str, str]:
    """Return the last value of each field of /proc/cpuinfo: of a mixed set of cores, the fastest come last."""
    pairs = (line.partition(":") for line in text.splitlines())
    return {key.strip(): value.strip() for key, _, value in pairs if value}


def memory_bytes(path: Path, field: str) -> int | None:
    """Return a field of /proc/meminfo or of a process's status (``VmRSS:  1234 kB``), None if there is none."""
    for line in (read(path) or "").splitlines():
        if line.startswith(f"{field}:"):
            return int(line.split()[1]) * 1024
    return None
