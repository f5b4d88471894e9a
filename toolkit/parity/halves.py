"""Causes of why two models answer differently: fitted on one half of the rows, confirmed on the other."""

from dataclasses import dataclass
from math import comb

import numpy as np
from numpy.typing import NDArray

from toolkit.parity.statistics import LEVEL, mcnemar_p


@dataclass(frozen=True)
class Cause:
    """Something that a model means differently from what was assumed.

    before, after: the share of equal answers on the second half of the rows without and with the correction.
    """

    name: str
    text: str
    before: float
    after: float


@dataclass(frozen=True)
class Halves:
    """The reference's answers (N,): the first half is to fit by, the second to confirm by."""

    expected: NDArray[np.int64]
    classes: int

    @property
    def half(self) -> int:
        """How many rows there are to fit by."""
        return len(self.expected) // 2

    def order(self, answers: NDArray[np.int64]) -> tuple[int, ...]:
        """Return which class of the candidate stands for each of the reference's: pairs that meet most often first."""
        met = np.zeros((self.classes, self.classes), np.int64)
        np.add.at(met, (self.expected[: self.half], answers[: self.half]), 1)
        order = [-1] * self.classes
        for flat in np.argsort(-met, axis=None, kind="stable"):
            reference, candidate = divmod(int(flat), self.classes)
            if order[reference] < 0 and candidate not in order:
                order[reference] = candidate
        return tuple(order)

    def renamed(self, answers: NDArray[np.int64], order: tuple[int, ...]) -> NDArray[np.int64]:
        """Return answers as classes of the reference."""
        return np.argsort(order)[answers]

    def ordered(self, answers: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return answers in the order that fits best."""
        return self.renamed(answers, self.order(answers))

    def fit(self, answers: NDArray[np.int64]) -> int:
        """Return how many of the first half are right in the order that fits best."""
        return int((self.ordered(answers) == self.expected)[: self.half].sum())

    def share(self, answers: NDArray[np.int64]) -> float:
        """Return the share of the second half that is equal."""
        return float((answers == self.expected)[self.half :].mean())

    def better(self, old: NDArray[np.int64], new: NDArray[np.int64]) -> bool:
        """Say whether new answers are surely nearer to the reference's, on the second half."""
        return clearly_better(*((answers == self.expected)[self.half :] for answers in (old, new)))

    def apart(self, wrong: NDArray[np.bool_], measure: NDArray[np.floating]) -> float | None:
        """Return the value of a measure, (N,), above which answers are wrong surely more often; None if there is none.

        It is fitted on the first half, and confirmed on the second (Fisher's exact test, one-sided).
        """
        values = np.unique(np.quantile(measure[: self.half], np.linspace(0, 1, 21), method="lower"))
        first = slice(0, self.half)
        best = min(values, key=lambda value: _fisher_p(wrong[first], measure[first] > value))
        second = slice(self.half, None)
        return float(best) if _fisher_p(wrong[second], measure[second] > best) < LEVEL else None


def clearly_better(before: NDArray[np.bool_], after: NDArray[np.bool_]) -> bool:
    """Say whether more of the same rows are right than before, (N,) each, by McNemar's test at LEVEL."""
    lost, gained = int((before & ~after).sum()), int((after & ~before).sum())
    return gained > lost and mcnemar_p(lost, gained) < LEVEL


def _fisher_p(wrong: NDArray[np.bool_], marked: NDArray[np.bool_]) -> float:
    """Return how probable it is that at least as many of the marked are wrong by chance (hypergeometric tail)."""
    total, of_wrong, of_marked = len(wrong), int(wrong.sum()), int(marked.sum())
    ways = sum(
        comb(of_wrong, both) * comb(total - of_wrong, of_marked - both)
        for both in range(int((wrong & marked).sum()), min(of_wrong, of_marked) + 1)
    )
    return ways / comb(total, of_marked)
