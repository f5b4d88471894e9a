"""A network with its recipe: what it takes, and what has come of its training; each is a folder of the search."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from toolkit.errors import RunError
from toolkit.files import documents
from toolkit.search.asked import Asked
from toolkit.search.budgets import Costs
from toolkit.search.proposals import Result
from toolkit.search.space import Choice
from toolkit.study import outcome
from toolkit.study.outcome import ENDED, TrialOutcome
from toolkit.study.study import StudyDataEntry
from toolkit.study.trials import Trial

CANDIDATE = "candidate.json"
# How the folder of a candidate begins, and that of the same as a finalist; its number follows.
TRIAL, FINAL = "trial-", "final-"


@dataclass(frozen=True)
class Rejected:
    """A proposal that was too costly. costs: at least."""

    choice: Choice
    costs: Costs

    @property
    def result(self) -> Result:
        """What the next proposal depends on."""
        return Result(self.choice, self.costs, 0.0)


@dataclass(frozen=True)
class CandidateEntry:
    """What ``candidate.json`` has: what is known before it is trained. rejected: the proposals before it."""

    choice: Choice
    costs: Costs
    rejected: tuple[Rejected, ...]
    others: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Candidate:
    """A network with its recipe, what it takes, and what has come of its training."""

    choice: Choice
    costs: Costs
    rejected: tuple[Rejected, ...]
    outcome: TrialOutcome

    @property
    def folder(self) -> Path:
        """Where all of it is."""
        return self.outcome.trial.folder

    @property
    def name(self) -> str:
        """The name of its folder."""
        return self.folder.name

    @property
    def number(self) -> int:
        """The number of its folder."""
        return _number(self.folder)

    @property
    def is_finalist(self) -> bool:
        """Whether it is one that was trained before, and is trained again."""
        return self.name.startswith(FINAL)

    @property
    def accuracy(self) -> float:
        """Of the weights that are kept, on the validation rows."""
        return self.outcome.kept_validation_accuracy

    @property
    def curve(self) -> Sequence[float]:
        """The validation accuracy after each epoch."""
        return [epoch.val_accuracy for epoch in self.outcome.progress.history]

    @property
    def result(self) -> Result:
        """What the next proposal depends on. One that was given up or diverged counts with what it had reached."""
        return Result(self.choice, self.costs, self.accuracy if self.outcome.state in ENDED else None)

    def as_finalist(self, asked: Asked, data: StudyDataEntry) -> "Candidate":
        """Return it as it is trained again, in a folder of its own, as that stands."""
        folder = self.folder.with_name(f"{FINAL}{self.name.removeprefix(TRIAL)}")
        trial = Trial(asked.recipe(self.choice, is_final=True), folder, data["digests"], opens_test=False)
        return replace(self, rejected=(), outcome=outcome.read(trial))

    def to_json(self) -> dict[str, Any]:
        """Return the candidate as ``toolkit search --json`` has it."""
        return {
            "name": self.name,
            "model": self.choice.model,
            "learning_rate": self.choice.learning_rate,
            **asdict(self.costs),
            "state": self.outcome.state,
            "message": self.outcome.message,
            "epochs_run": len(self.outcome.progress.history),
            "validation_accuracy": self.accuracy if self.outcome.progress.history else None,
            "seconds": self.outcome.seconds,
        }


def read(asked: Asked, data: StudyDataEntry, folder: Path) -> Candidate:
    """Return the candidate of a folder as it stands; RunError if its documents are damaged."""
    found = documents.read(folder / CANDIDATE, CandidateEntry, what="a candidate", error=RunError)
    trial = Trial(asked.recipe(found.choice), folder, data["digests"], opens_test=False)
    return Candidate(found.choice, found.costs, found.rejected, outcome.read(trial))


def folders(search: Path) -> list[Path]:
    """Return the folders of the candidates by their numbers."""
    found = [path.parent for path in search.glob(f"{TRIAL}*/{CANDIDATE}")]
    return sorted((path for path in found if path.name.removeprefix(TRIAL).isdecimal()), key=_number)


def _number(folder: Path) -> int:
    return int(folder.name.rpartition("-")[2])
