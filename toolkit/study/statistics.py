"""Intervals of a study: of a share of cases, and of the median over configurations."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import comb, sqrt
from statistics import NormalDist
from statistics import median as middle_of

from toolkit.interval import Interval

CONFIDENCE = 0.95


@dataclass(frozen=True)
class Median:
    """The median of ``count`` figures. low, high: its 95 % interval, or their range if no such interval exists."""

    value: float
    low: float
    high: float
    count: int
    is_interval: bool


def share(count: int, n: int, *, confidence: float = CONFIDENCE) -> Interval:
    """Return a share with its two-sided score interval (E. B. Wilson, Journal of the American Statistical Association
    22, 209-212, 1927)."""
    if not 0 <= count <= n or n < 1:
        raise ValueError(f"{count} of {n}")
    z, p = NormalDist().inv_cdf((1 + confidence) / 2), count / n
    middle = (p + z * z / (2 * n)) / (1 + z * z / n)
    reach = z / (1 + z * z / n) * sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    return Interval(p, max(0.0, middle - reach), min(1.0, middle + reach))


def median(groups: Sequence[Sequence[float]]) -> Median | None:
    """Return the median over configurations, each with the median of its seeds; None without any figure.

    groups: the figures of each configuration, one per seed. The interval is that of the sign test: between the k-th
    smallest and the k-th largest figure, with the largest k that the true median lies outside of with a probability of
    at most 5 % (W. J. Conover, "Practical Nonparametric Statistics", 3rd edition, 1999, section 3.2). It supposes no
    distribution, never leaves what was measured, and stays right where extreme figures are only bounds. Of fewer than
    six figures even the smallest and the largest are no 95 % interval.
    """
    figures = sorted(middle_of(group) for group in groups if len(group))
    n = len(figures)
    if not n:
        return None
    k = sum(2 * sum(comb(n, below) for below in range(outside + 1)) <= 0.05 * 2**n for outside in range(n // 2))
    low, high = (figures[k - 1], figures[n - k]) if k else (figures[0], figures[-1])
    return Median(middle_of(figures), low, high, n, is_interval=k > 0)
