"""A network with its recipe: what it takes, and what has come of its training; each is a folder of the search."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from toolkit.errors import RunError
from toolkit.files import documents
from toolkit.search.asked import SearchRequest
from toolkit.search.budgets import Costs
from toolkit.search.experiment import CANDIDATE, TrainedCandidate
from toolkit.search.proposals import Observation
from toolkit.search.space import Choice
from toolkit.study import outcome
from toolkit.study.outcome import ENDED
from toolkit.study.study import StudyDataEntry
from toolkit.study.trials import Trial

# How the folder of a candidate begins, and that of the same as a finalist; its number follows.
TRIAL, FINAL = "trial-", "final-"


@dataclass(frozen=True)
class Rejected:
    """A proposal that was too costly. costs: at least."""

    choice: Choice
    costs: Costs

    @property
    def result(self) -> Observation:
        """What the next proposal depends on."""
        return Observation(self.choice, self.costs, 0.0)


@dataclass(frozen=True)
class SearchCandidateEntry:
    """What ``candidate.json`` has: what is known before it is trained. rejected: the proposals before it."""

    choice: Choice
    costs: Costs
    rejected: tuple[Rejected, ...]
    others: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class SearchCandidate(TrainedCandidate):
    """A network with its recipe, what it takes, and what has come of its training."""

    choice: Choice
    rejected: tuple[Rejected, ...]

    @property
    def number(self) -> int:
        """The number of its folder."""
        return _number(self.folder)

    @property
    def is_finalist(self) -> bool:
        """Whether it is one that was trained before, and is trained again."""
        return self.name.startswith(FINAL)

    @property
    def curve(self) -> Sequence[float]:
        """The validation accuracy after each epoch."""
        return [epoch.val_accuracy for epoch in self.outcome.progress.history]

    @property
    def result(self) -> Observation:
        """What the next proposal depends on. One that was given up or diverged counts with what it had reached."""
        return Observation(self.choice, self.costs, self.accuracy if self.outcome.state in ENDED else None)

    def as_finalist(self, asked: SearchRequest, data: StudyDataEntry) -> "SearchCandidate":
        """Return it as it is trained again, in a folder of its own, as that stands."""
        folder = self.folder.with_name(f"{FINAL}{self.name.removeprefix(TRIAL)}")
        trial = Trial(asked.recipe(self.choice, is_final=True), folder, data["digests"], opens_test=False)
        return replace(self, rejected=(), outcome=outcome.read(trial))

    def to_json(self) -> dict[str, Any]:
        """Return the candidate as ``toolkit search --json`` has it."""
        return {**super().to_json(), "model": self.choice.model, "learning_rate": self.choice.learning_rate}


def read(asked: SearchRequest, data: StudyDataEntry, folder: Path) -> SearchCandidate:
    """Return the candidate of a folder as it stands; RunError if its documents are damaged."""
    entry = documents.read(folder / CANDIDATE, SearchCandidateEntry, what="a candidate", error=RunError)
    trial = Trial(asked.recipe(entry.choice), folder, data["digests"], opens_test=False)
    return SearchCandidate(choice=entry.choice, costs=entry.costs, rejected=entry.rejected, outcome=outcome.read(trial))


def folders(search: Path) -> list[Path]:
    """Return the folders of the candidates by their numbers."""
    below = [path.parent for path in search.glob(f"{TRIAL}*/{CANDIDATE}")]
    return sorted((path for path in below if path.name.removeprefix(TRIAL).isdecimal()), key=_number)


def _number(folder: Path) -> int:
    return int(folder.name.rpartition("-")[2])
