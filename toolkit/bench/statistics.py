"""Figures of latencies: a median with an interval over processes and blocks, percentiles, ratios of paired blocks."""

import math
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from toolkit.interval import Interval

# With fewer processes nothing is known of what differs between them: Student's t would widen an interval without bound.
LEAST_PROCESSES = 3
# How much wider than Student's the interval of pairs is: processes that run at about the same time resemble each other,
# and an artifact shall be called different from itself in at most 5 of any 100 trials, not on average (docs/bench.md).
WIDENED = 1.4
# Share of the processes that is left out at either end: one that was disturbed throughout.
TRIMMED = 0.1
# The median of the fastest tenth.
FLOOR_PERCENT = 5
RESAMPLES = 2000
RESAMPLING_SEED = 0
# Fewest samples from which MLPerf LoadGen's early stopping estimates a percentile at 99 % confidence
# (https://github.com/mlcommons/inference_policies, "Early stopping").
SAMPLES_FOR = {90: 64, 95: 130, 99: 662}
# Tukey's fences: how many interquartile ranges from the quartiles an outlier lies (J. W. Tukey, 1977).
FENCE = 1.5
# Chance that an interval misses its truth.
TAILS = 0.05
_NORMAL_QUANTILE = NormalDist().inv_cdf(1 - TAILS / 2)

Samples = NDArray[np.float64]


class SpeedVerdict(StrEnum):
    """What the interval of a speed-up means: ``INDISTINGUISHABLE`` if it holds 1."""

    FASTER = "faster"
    SLOWER = "slower"
    INDISTINGUISHABLE = "indistinguishable"


@dataclass(frozen=True, eq=False)
class Blocks:
    """Latencies in seconds in the order of measurement. lengths: (processes, turns), how many are of each block."""

    samples: Samples
    lengths: NDArray[np.int64]

    @cached_property
    def medians(self) -> Samples:
        """The median of each block, (processes, turns)."""
        blocks = np.split(self.samples, np.cumsum(self.lengths.ravel())[:-1])
        return np.array([np.median(block) for block in blocks]).reshape(self.lengths.shape)

    def first(self, processes: int) -> "Blocks":
        """Return the blocks of the first processes."""
        lengths = self.lengths[:processes]
        return Blocks(self.samples[: int(lengths.sum())], lengths)


def median(blocks: Blocks) -> Interval:
    """Return the median of all latencies with a bootstrap interval over processes and blocks.

    Processes are resampled, and blocks within each, since processes differ more than the blocks of one (A. C. Davison
    and D. V. Hinkley, "Bootstrap Methods and their Application", 1997, section 3.8). A few processes show less spread
    than there is: it is widened by what Student's t of one degree less has over the normal distribution.
    """
    draws = _resampled(blocks.medians, *_rows(blocks.medians.shape))
    return _interval(float(np.median(blocks.samples)), draws, processes=len(blocks.medians))


def floor(blocks: Blocks) -> Interval:
    """Return the median of the fastest tenth of all latencies, with Student's interval of those of the processes."""
    ends = np.cumsum(blocks.lengths.sum(axis=1))[:-1]
    each = np.log([np.percentile(one, FLOOR_PERCENT) for one in np.split(blocks.samples, ends)])
    error = float(each.std(ddof=1)) / math.sqrt(len(each)) if len(each) > 1 else 0.0
    middle = math.log(float(np.percentile(blocks.samples, FLOOR_PERCENT)))
    return _geometric(middle, student_quantile(max(1, len(each) - 1)) * error)


def paired_speedup(logarithms: Samples, *, comparisons: int = 1) -> Interval:
    """Return how many times faster a candidate is, from the logarithm of the speed-up that each process found.

    comparisons: how many candidates there are of which the best is looked for; the chance that any interval misses its
    truth is then that of one (C. E. Bonferroni, 1936).

    That is their trimmed mean, with Student's t over the processes, which differ more than the pairs of one; the
    deviation is that of the winsorized values (J. W. Tukey and D. H. McLaughlin, "Less vulnerable confidence and
    significance procedures for location based on a single sample", 1963). Two processes at least.
    """
    count, ends = len(logarithms), int(TRIMMED * len(logarithms))
    ordered = np.sort(logarithms)
    kept = ordered[ends : count - ends]
    error = np.clip(ordered, kept[0], kept[-1]).std(ddof=1) * math.sqrt(count) / len(kept)
    return _geometric(kept.mean(), WIDENED * student_quantile(len(kept) - 1, tails=TAILS / comparisons) * error)


def speedup(baseline: Blocks, candidate: Blocks) -> Interval:
    """Return how many times faster the candidate's median is, from the blocks that were measured in the same turn.

    For what was not timed side by side in one process.
    """
    shape = np.minimum(baseline.medians.shape, candidate.medians.shape)
    rows = _rows((int(shape[0]), int(shape[1])))
    draws = _resampled(baseline.medians, *rows) / _resampled(candidate.medians, *rows)
    value = float(np.median(baseline.samples) / np.median(candidate.samples))
    return _interval(value, draws, processes=int(shape[0]))


def unpaired_speedup(old: Blocks, new: Blocks) -> Interval:
    """The same for latencies that were not measured in turns: each has its own draws."""
    draws = [
        _resampled(blocks.medians, *_rows(blocks.medians.shape, seed=RESAMPLING_SEED + number))
        for number, blocks in enumerate((old, new))
    ]
    value = float(np.median(old.samples) / np.median(new.samples))
    return _interval(value, draws[0] / draws[1], processes=min(len(old.medians), len(new.medians)))


def percentile(samples: Samples, percent: int) -> float | None:
    """Return the smallest sample that ``percent`` % of all do not exceed (nearest rank); None with too few samples."""
    if len(samples) < SAMPLES_FOR[percent]:
        return None
    return float(np.percentile(samples, percent, method="inverted_cdf"))


def outliers(samples: Samples) -> int:
    """Return how many samples lie outside Tukey's fences. They are counted, not removed: they happen to users too."""
    low, high = np.percentile(samples, (25, 75))
    reach = FENCE * (high - low)
    return int(((samples < low - reach) | (samples > high + reach)).sum())


def verdict(ratio: Interval) -> SpeedVerdict:
    """Say in a word what a speed-up means."""
    if ratio.low > 1:
        return SpeedVerdict.FASTER
    return SpeedVerdict.SLOWER if ratio.high < 1 else SpeedVerdict.INDISTINGUISHABLE


def is_slower(ratio: Interval, tolerance: float) -> bool:
    """Say whether a speed-up means slower by more than ``tolerance``, a share, with 95 % confidence."""
    return verdict(ratio) == SpeedVerdict.SLOWER and ratio.high < 1 / (1 + tolerance)


def is_within(ratio: Interval, tolerance: float) -> bool:
    """Say whether a speed-up means slower by at most ``tolerance``, a share, with 95 % confidence."""
    return ratio.low >= 1 / (1 + tolerance)


def at_least(ratio: Interval) -> float | None:
    """Return how many times faster, or slower, a speed-up is by its interval; None if that cannot be told."""
    return {SpeedVerdict.FASTER: ratio.low, SpeedVerdict.SLOWER: 1 / ratio.high}.get(verdict(ratio))


def describe(ratio: Interval) -> str:
    """Say what a speed-up means, and by how much at least: ``faster, at least 1.31×``."""
    percent = math.floor((at_least(ratio) or 1.0) * 100)  # cut off, not rounded: it is a bound
    return f"{verdict(ratio)}, at least {percent / 100:.2f}×" if percent > 100 else verdict(ratio)


def student_quantile(freedom: int, *, tails: float = TAILS) -> float:
    """Return the value that Student's t exceeds on either side with a chance of ``tails`` together.

    By a series (M. Abramowitz and I. A. Stegun, 1964, 26.7.5; 0.4 % low at 3 with 5 %), and exact where that does not
    hold, for 1 and 2.
    """
    if freedom == 1:
        return math.tan(math.pi * (0.5 - tails / 2))
    if freedom == 2:
        return (1 - tails) / math.sqrt(2 * (1 - tails / 2) * tails / 2)
    z: float = NormalDist().inv_cdf(1 - tails / 2)
    terms: tuple[float, ...] = (
        (z**3 + z) / 4,
        (5 * z**5 + 16 * z**3 + 3 * z) / 96,
        (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384,
        (79 * z**9 + 776 * z**7 + 1482 * z**5 - 1920 * z**3 - 945 * z) / 92160,
    )
    return z + sum(term / float(freedom) ** power for power, term in enumerate(terms, 1))


def _geometric(middle: float, reach: float) -> Interval:
    """Return the interval of a logarithm as one of the figure itself."""
    return Interval(math.exp(middle), math.exp(middle - reach), math.exp(middle + reach))


def _rows(shape: tuple[int, ...], *, seed: int = RESAMPLING_SEED) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return RESAMPLES draws of processes, and for each of those of its turns, with replacement."""
    rng = np.random.default_rng(seed)
    processes, turns = shape
    drawn = rng.integers(0, processes, (RESAMPLES, processes))
    return drawn[:, :, None], rng.integers(0, turns, (RESAMPLES, processes, turns))


def _resampled(medians: Samples, processes: NDArray[np.int64], turns: NDArray[np.int64]) -> Samples:
    draws: Samples = np.median(medians[processes, turns].reshape(RESAMPLES, -1), axis=1)
    return draws


def _interval(value: float, draws: Samples, *, processes: int) -> Interval:
    """Return the percentile interval of the draws, moved to the value and widened on the scale of ratios."""
    widened = student_quantile(processes - 1) / _NORMAL_QUANTILE if processes >= LEAST_PROCESSES else 1.0
    low, high = np.exp(np.quantile(np.log(draws / np.median(draws)), (0.025, 0.975)) * widened)
    return Interval(value, float(value * low), float(value * high))
