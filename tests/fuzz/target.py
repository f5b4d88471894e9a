"""What a target is."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hypothesis.strategies import SearchStrategy

from tests.fuzz import changes


@dataclass(frozen=True)
class Target:
    """A kind of file and what reads it.

    prepare: makes good files in an empty folder and returns those of which one is damaged at a time. read: reads the
    folder; it raises ToolkitError, or returns. damage: a strategy of damaged contents for a good one. inputs: how many
    of 10,000. mend: makes digests of other files right again, so that what is behind them is reached as well.
    """

    inputs: int
    prepare: Callable[[Path], list[Path]]
    read: Callable[[Path], Any]
    damage: Callable[[bytes], SearchStrategy[bytes]] = changes.as_bytes
    mend: Callable[[Path], None] = lambda folder: None


def files(make: Callable[[Path], object], *names: str) -> Callable[[Path], list[Path]]:
    """Return how files are prepared: ``make`` fills a folder, in which those of these names are damaged."""

    def prepare(folder: Path) -> list[Path]:
        make(folder)
        return [path for name in names for path in sorted(folder.rglob(name))]

    return prepare
