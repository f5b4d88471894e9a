"""The last stage: the candidates that promise most are trained again, from the beginning, and longer."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import inf
from pathlib import Path
from typing import Any

from toolkit.errors import RunError
from toolkit.files import FileName, documents, write_json
from toolkit.search.asked import SearchRequest
from toolkit.search.candidates import SearchCandidate
from toolkit.search.front import front

FINALISTS = "finalists.json"


@dataclass(frozen=True)
class FinalistsEntry:
    """What ``finalists.json`` has: which candidates are trained again, by the names of their first folders."""

    candidates: tuple[FileName, ...]
    others: dict[str, Any] = field(default_factory=dict)


def choose(finished: Sequence[SearchCandidate], asked: SearchRequest) -> list[SearchCandidate]:
    """Return the candidates that are worth a long training, the smallest first.

    They are those of the front whose validation accuracy is nearest to the one that was asked for, else to 1. No
    allowance is made for chance here: a short training says little of networks that are nearly as accurate.
    """
    wanted = asked.budgets.min_accuracy or 1.0
    left = front(finished, validation_rows=inf)
    nearest = sorted(left, key=lambda one: abs(one.accuracy - wanted))[: asked.finalists]
    return [one for one in left if one in nearest]


def write(folder: Path, chosen: Sequence[SearchCandidate]) -> None:
    """Write down what is trained again, before any of it is."""
    entry = FinalistsEntry(tuple(FileName(one.name) for one in chosen))
    write_json(folder / FINALISTS, {"schema": 1, **documents.to_tree(entry)})


def read(folder: Path) -> tuple[FileName, ...]:
    """Return the names of what was chosen to be trained again; none if nothing was yet, RunError for a damaged file."""
    path = folder / FINALISTS
    if not path.is_file():
        return ()
    return documents.read(path, FinalistsEntry, what="a choice of finalists", error=RunError).candidates
