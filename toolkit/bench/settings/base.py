"""What a setting of a runtime is."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from toolkit.runtimes.base import Session


@dataclass(frozen=True)
class Setting:
    """One thing that a program may choose when it opens an artifact; all else is as toolkit opens it, with one thread.

    name: in a few words. line: of a Python program, that chooses it. threads: of the runtime.
    """

    name: str
    line: str
    open: Callable[[Path], Session]
    threads: int = 1
