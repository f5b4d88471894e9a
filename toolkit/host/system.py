"""The files in which Linux tells of itself and of processes, below a root: those of a test, or ``/``."""

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


def available_memory_bytes(root: Path = Path("/")) -> int | None:
    """Return the memory that can be taken without swapping, or None if the system does not tell."""
    return memory_bytes(root / "proc/meminfo", "MemAvailable")


def process_memory_bytes(field: str, pid: int | str = "self") -> int | None:
    """Return the memory of a process, now (VmRSS) or at its peak (VmHWM), or None if the system does not tell.

    getrusage's ru_maxrss would do for the peak, but on Linux it counts the parent's memory before the exec as well.
    """
    return memory_bytes(Path(f"/proc/{pid}/status"), field)


def process_waited_s(pid: int | str = "self", root: Path = Path("/")) -> float:
    """Return the seconds that a process's main thread was ready to run and had no CPU; 0 if the system does not tell.

    The second figure of schedstat, in nanoseconds (Linux, Documentation/scheduler/sched-stats.rst).
    """
    figures = (read(root / f"proc/{pid}/schedstat") or "").split()
    return int(figures[1]) / 1e9 if len(figures) == 3 else 0.0
