"""Intervals of a study: of a share of cases, and of a paired difference over configurations and seeds."""

from collections.abc import Sequence
from math import sqrt
from statistics import NormalDist

import numpy as np

from toolkit.bench.statistics import RESAMPLES, RESAMPLING_SEED, Interval, student_quantile

_NORMAL_QUANTILE: float = NormalDist().inv_cdf(0.975)


def share(count: int, n: int) -> Interval:
    """Return a share with its 95 % score interval (E. B. Wilson, Journal of the American Statistical Association 22,
    209-212, 1927)."""
    if not 0 <= count <= n or n < 1:
        raise ValueError(f"{count} of {n}")
    z, p = _NORMAL_QUANTILE, count / n
    middle = (p + z * z / (2 * n)) / (1 + z * z / n)
    reach = z / (1 + z * z / n) * sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    return Interval(p, max(0.0, middle - reach), min(1.0, middle + reach))


def mean(groups: Sequence[Sequence[float]]) -> Interval | None:
    """Return the mean over configurations of their means over seeds, with a 95 % bootstrap interval; None of none.

    groups: the figures of each configuration, one per seed. Configurations are resampled, and seeds within each (A. C.
    Davison and D. V. Hinkley, "Bootstrap Methods and their Application", 1997, section 3.8). Few configurations show
    less spread than there is: the interval is widened by what Student's t of one degree less has over the normal
    distribution. One configuration alone has no interval: it is from minus to plus infinity.
    """
    filled = [np.asarray(group, float) for group in groups if len(group)]
    if not filled:
        return None
    value = float(np.mean([group.mean() for group in filled]))
    if len(filled) == 1:
        return Interval(value, -np.inf, np.inf)
    rng = np.random.default_rng(RESAMPLING_SEED)
    means = np.stack([group[rng.integers(0, len(group), (RESAMPLES, len(group)))].mean(axis=1) for group in filled])
    drawn = rng.integers(0, len(filled), (len(filled), RESAMPLES))
    draws = np.take_along_axis(means, drawn, axis=0).mean(axis=0)
    widened = student_quantile(len(filled) - 1) / _NORMAL_QUANTILE
    low, high = np.quantile(draws, (0.025, 0.975))
    return Interval(value, float(value + (low - value) * widened), float(value + (high - value) * widened))
