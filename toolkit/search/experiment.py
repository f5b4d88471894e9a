"""What a search and a compression are both: trained candidates in one folder, and what the test set said of some."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

from toolkit.errors import RunError
from toolkit.search.budgets import Costs
from toolkit.search.proof import PROOF, Member, Proof
from toolkit.study.outcome import TrialOutcome
from toolkit.study.study import StudyDataEntry
from toolkit.study.trials import TrialState

# The file of a candidate's folder that says what is known before it is trained.
CANDIDATE = "candidate.json"


@dataclass(frozen=True, kw_only=True)
class TrainedCandidate:
    """A network, what it takes, and what has come of its training, in a folder of its own."""

    costs: Costs
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
    def accuracy(self) -> float:
        """Of the weights that are kept, on the validation rows."""
        return self.outcome.kept_validation_accuracy

    def to_json(self) -> dict[str, Any]:
        """Return what a JSON document has of it: its costs, and its training."""
        history = self.outcome.progress.history
        return {
            "name": self.name,
            **asdict(self.costs),
            "state": self.outcome.state,
            "message": self.outcome.message,
            "epochs_run": len(history),
            "validation_accuracy": self.accuracy if history else None,
            "seconds": self.outcome.seconds,
        }


One = TypeVar("One", bound=TrainedCandidate)


@dataclass(frozen=True, kw_only=True)
class Experiment(Generic[One]):
    """Candidates as they stand. asked: what for. proof: what the test set said of the front; None while it is closed.

    interrupted: whether Ctrl-C ended it. Raises RunError for a proof of candidates that are not there.
    """

    folder: Path
    asked: Any
    data: StudyDataEntry
    candidates: tuple[One, ...]
    proof: Proof | None = None
    interrupted: bool = False

    def __post_init__(self) -> None:
        for member in self.proof.members if self.proof else ():
            self.named(member.name)

    @property
    def finished(self) -> list[One]:
        """The candidates that have all their epochs."""
        return [one for one in self.candidates if one.outcome.state == TrialState.FINISHED]

    @property
    def summary(self) -> str:
        """How far it is, in a line."""
        states = [one.outcome.state for one in self.candidates]
        others = (TrialState.GIVEN_UP, TrialState.DIVERGED, TrialState.CRASHED)
        counts = "".join(f", {states.count(state)} {state}" for state in others if state in states)
        return f"{len(self.finished)} of {len(states)} candidates finished{counts}"

    @property
    def smallest(self) -> Member | None:
        """The smallest candidate of which everything that was asked for is shown; None if there is none."""
        return self.proof.smallest if self.proof else None

    def named(self, name: str, *, by: str = PROOF) -> One:
        """Return a candidate by the name of its folder; RunError, with the file that speaks of it, if there is none."""
        for one in self.candidates:
            if one.name == name:
                return one
        raise RunError(f"{self.folder}: {by} speaks of {name}, which is not there")

    def member(self, name: str) -> Member | None:
        """Return what the test set says of a candidate; None if it was not opened for it."""
        members = self.proof.members if self.proof else ()
        return next((one for one in members if one.name == name), None)

    def to_json(self) -> dict[str, Any]:
        """Return what the documents of both have."""
        return {
            "schema": 1,
            "folder": str(self.folder),
            "asked": asdict(self.asked),
            "data": self.data,
            "interrupted": self.interrupted,
            "candidates": [one.to_json() for one in self.candidates],
            "proof": self.proof.to_json() if self.proof else None,
            "smallest": self.smallest.name if self.smallest else None,
        }
