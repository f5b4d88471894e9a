"""What the test set says of the front, and with what certainty. It is opened once, when nothing more is chosen."""

import sys
from bisect import bisect_left
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from toolkit import units
from toolkit.errors import RunError
from toolkit.files import FileName, documents
from toolkit.files.documents import LATER
from toolkit.interval import Interval
from toolkit.parity.statistics import images_to_decide, loss_bounds
from toolkit.study import statistics
from toolkit.verdict import Verdict

# The front as it was when the test set was opened, and what that said.
FRONT, PROOF = "front.json", "proof.json"
# The error that the members of a front share, for each kind of claim: each claim of one of m is at 1 - ERROR / m
# (Bonferroni; O. J. Dunn, Journal of the American Statistical Association 56, 52-64, 1961).
ERROR = 0.05
# The accuracy that a member may lose against the model that it is compared with, in percentage points.
MARGIN_PP = 0.1
# How often the test set was opened for a front.
LOOKS = 1


def least_rows(accuracy: float) -> int:
    """Return the fewest test rows that could show an accuracy: if all are right, and the front has one member."""
    return bisect_left(
        range(sys.maxsize), accuracy, lo=1, key=lambda n: statistics.share(n, n, confidence=1 - ERROR).low
    )


def least_rows_to_match() -> int:
    """Return the fewest test rows that could show that a member is as good as its rival: if no answer differs."""
    return images_to_decide(0, 0, 1, MARGIN_PP / 100) or sys.maxsize


@dataclass(frozen=True)
class Paired:
    """Test rows that only the reference gets right (lost), and that only the candidate does (gained)."""

    lost: int
    gained: int


@dataclass(frozen=True)
class Member:
    """A candidate of the front as an int8 file.

    name: of its folder. artifact: its path from the search's folder. right: test rows that it gets right. own: beside
    the float model that it was made from, with the verdict of ``toolkit verify``. rival: beside the model that all of
    the front are compared with, if there is one.
    """

    name: FileName
    artifact: str
    size_bytes: int
    right: int
    own: Paired
    verdict: Verdict
    rival: Paired | None


@dataclass(frozen=True)
class Proof:
    """What one look at ``n`` test rows says of a front.

    rival: the path of the model that its members are compared with; rival_sha256: of the file that it comes from;
    rival_right: the rows that it gets right. must_match: whether a member must be as good as the rival to be what was
    asked for.
    """

    n: int
    min_accuracy: float | None
    rival: str | None
    rival_right: int | None
    must_match: bool
    members: tuple[Member, ...]
    rival_sha256: str | None = field(default=None, metadata=LATER)
    others: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        paired = [pair for one in self.members for pair in (one.own, one.rival) if pair]
        counts = [one.right for one in self.members] + [self.rival_right or 0]
        if not self.members or not all(0 <= count <= self.n for count in counts):
            raise ValueError(f"{counts} of {self.n} rows right")
        if any(min(pair.lost, pair.gained) < 0 or pair.lost + pair.gained > self.n for pair in paired):
            raise ValueError(f"more rows lost and gained than {self.n}")
        if (self.rival is None) != (self.rival_right is None) or any(
            (one.rival is None) != (self.rival is None) for one in self.members
        ):
            raise ValueError("a rival without its rows, or rows without their rival")

    @property
    def confidence(self) -> float:
        """Of each claim, so that all of a kind hold together with 95 %."""
        return 1 - ERROR / len(self.members)

    def accuracy(self, member: Member) -> Interval:
        """Return the share of rows that a member gets right, with Wilson's interval for all members together."""
        return statistics.share(member.right, self.n, confidence=self.confidence)

    def loss_pp(self, member: Member) -> Interval | None:
        """Return what a member loses against the rival, in percentage points, with bounds that are each one-sided."""
        if member.rival is None:
            return None
        lost, gained = member.rival.lost, member.rival.gained
        low, high = loss_bounds(lost, gained, self.n, confidence=self.confidence)
        return Interval(100 * (lost - gained) / self.n, 100 * low, 100 * high)

    def accuracy_text(self, member: Member) -> str:
        """Return the accuracy of a member as a table has it, in percent with its interval."""
        accuracy = self.accuracy(member)
        return f"{units.percent(accuracy.value)} ({100 * accuracy.low:.2f} – {100 * accuracy.high:.2f})"

    def loss_text(self, member: Member) -> str | None:
        """Return the loss of a member as a table has it, with its upper bound; None without a rival."""
        loss = self.loss_pp(member)
        return None if loss is None else f"{loss.value:.2f} (at most {loss.high:.2f})"

    def is_as_good(self, member: Member) -> bool | None:
        """Whether a member is surely not worse than the rival by more than the margin; None without a rival."""
        loss = self.loss_pp(member)
        return None if loss is None else loss.high <= MARGIN_PP

    def reaches(self, member: Member) -> bool | None:
        """Whether a member surely has the accuracy that was asked for; None if none was."""
        return None if self.min_accuracy is None else self.accuracy(member).low >= self.min_accuracy

    def holds(self, member: Member) -> bool:
        """Whether all that was asked for is shown of a member, and its int8 file is the model that was trained."""
        is_as_good = self.is_as_good(member) if self.must_match else None
        return False not in (self.reaches(member), is_as_good) and member.verdict != Verdict.FAIL

    @property
    def smallest(self) -> Member | None:
        """The smallest member of which everything is shown; None if there is none."""
        return min((one for one in self.members if self.holds(one)), key=lambda one: one.size_bytes, default=None)

    def to_json(self) -> dict[str, Any]:
        """Return what ``toolkit search --json`` has of it."""
        return {
            "looks": LOOKS,
            "n": self.n,
            "confidence": self.confidence,
            "margin_pp": MARGIN_PP,
            "rival": self.rival,
            "rival_sha256": self.rival_sha256,
            "must_match": self.must_match,
            "rival_accuracy": None if self.rival_right is None else self.rival_right / self.n,
            "members": [
                {
                    "name": one.name,
                    "artifact": one.artifact,
                    "size_bytes": one.size_bytes,
                    "accuracy": asdict(self.accuracy(one)),
                    "reaches_min_accuracy": self.reaches(one),
                    "lost": one.own.lost,
                    "gained": one.own.gained,
                    "verdict": one.verdict,
                    "rival_lost": one.rival.lost if one.rival else None,
                    "rival_gained": one.rival.gained if one.rival else None,
                    "loss_pp": None if (loss := self.loss_pp(one)) is None else asdict(loss),
                    "as_good": self.is_as_good(one),
                }
                for one in self.members
            ],
        }


def read(folder: Path) -> Proof | None:
    """Return what was said of the front in a folder; None as long as the test set is closed."""
    path = folder / PROOF
    return documents.read(path, Proof, what="a proof", error=RunError) if path.is_file() else None
