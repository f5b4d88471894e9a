"""A narrower network, what it takes, and what has come of its training; each is a folder of the compression."""

from dataclasses import asdict, dataclass, field
from typing import Any

from toolkit.files.documents import LATER
from toolkit.search.budgets import Costs
from toolkit.study.outcome import TrialOutcome

CANDIDATE = "candidate.json"
# How the folder of a candidate begins; its number follows.
TRIAL = "candidate-"
# The share of the channels that a candidate keeps is a power of this. A step leaves a sixth fewer weights between two
# layers that are both narrower, which is finer than budgets are given.
STEP = 2 ** (-1 / 8)


@dataclass(frozen=True)
class CandidateEntry:
    """What ``candidate.json`` has: what is known before it is trained.

    steps: the power of STEP. low_rank: whether its dense layers were factored too.
    """

    steps: int
    costs: Costs
    low_rank: bool = field(default=False, metadata=LATER)
    others: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Candidate:
    """A narrower network, what it takes, and what has come of its training; steps and low_rank as in its entry."""

    steps: int
    costs: Costs
    outcome: TrialOutcome
    low_rank: bool = False

    @property
    def name(self) -> str:
        """The name of its folder."""
        return self.outcome.trial.folder.name

    @property
    def share(self) -> float:
        """The share of the original's channels that it was made with."""
        return float(STEP**self.steps)

    @property
    def accuracy(self) -> float:
        """Of the weights that are kept, on the validation rows."""
        return self.outcome.kept_validation_accuracy

    def to_json(self) -> dict[str, Any]:
        """Return the candidate as ``toolkit compress --json`` has it."""
        return {
            "name": self.name,
            "share": self.share,
            "low_rank": self.low_rank,
            **asdict(self.costs),
            "state": self.outcome.state,
            "message": self.outcome.message,
            "epochs_run": len(self.outcome.progress.history),
            "validation_accuracy": self.accuracy if self.outcome.progress.history else None,
            "seconds": self.outcome.seconds,
        }
