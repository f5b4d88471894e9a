"""How long a process has waited for a CPU while others had them."""

from pathlib import Path

from toolkit.host import system


def process_waited_s(pid: int | str = "self", root: Path = Path("/")) -> float:
    """Return the seconds that a process's main thread was ready to run and had no CPU; 0 if the system does not tell.

    The second figure of schedstat, in nanoseconds (Linux, Documentation/scheduler/sched-stats.rst).
    """
    figures = (system.read(root / f"proc/{pid}/schedstat") or "").split()
    return int(figures[1]) / 1e9 if len(figures) == 3 else 0.0
