"""A narrower network, what it takes, and what has come of its training; each is a folder of the compression."""

from dataclasses import dataclass, field
from typing import Any

from toolkit.files.documents import LATER
from toolkit.search.budgets import Costs
from toolkit.search.experiment import TrainedCandidate

# How the folder of a candidate begins; its number follows.
TRIAL = "candidate-"
# The share of the channels that a candidate keeps is a power of this. A step leaves a sixth fewer weights between two
# layers that are both narrower, which is finer than budgets are given.
STEP = 2 ** (-1 / 8)


@dataclass(frozen=True)
class PrunedCandidateEntry:
    """What ``candidate.json`` has: what is known before it is trained.

    steps: the power of STEP. low_rank: whether its dense layers were factored too.
    """

    steps: int
    costs: Costs
    low_rank: bool = field(default=False, metadata=LATER)
    others: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class PrunedCandidate(TrainedCandidate):
    """A narrower network, what it takes, and what has come of its training; steps and low_rank as in its entry."""

    steps: int
    low_rank: bool = False

    @property
    def share(self) -> float:
        """The share of the original's channels that it was made with."""
        return float(STEP**self.steps)

    def to_json(self) -> dict[str, Any]:
        """Return the candidate as ``toolkit compress --json`` has it."""
        return {**super().to_json(), "share": self.share, "low_rank": self.low_rank}
