"""Processes of this machine, told by a variable of their environment."""

import time
from collections.abc import Callable
from pathlib import Path


def with_variable(variable: str, value: str) -> list[int]:
    """Return the processes that were started with a variable of that value, or of a path below it."""
    wanted = f"{variable}={value}".encode()
    return [
        int(process.name)
        for process in Path("/proc").glob("[0-9]*")
        if any(one == wanted or one.startswith(wanted + b"/") for one in _environment(process))
    ]


def left_after(seconds: float, find: Callable[[], list[int]]) -> list[int]:
    """Wait until none is found; return those that are still found after some time."""
    deadline_s = time.monotonic() + seconds
    while (found := find()) and time.monotonic() < deadline_s:
        time.sleep(0.02)
    return found


def _environment(process: Path) -> list[bytes]:
    try:
        return (process / "environ").read_bytes().split(b"\0")
    except OSError:  # it has ended, or is another user's
        return []
