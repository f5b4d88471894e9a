"""Figures of a set of latencies: median with an interval, percentiles that the sample supports, ratios."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

# Latencies are correlated in time, so whole blocks of neighbours are resampled, not single samples.
BLOCKS = 20
RESAMPLES = 2000
RESAMPLING_SEED = 0
FASTER = "faster"
# Fewest samples from which MLPerf LoadGen's early stopping estimates a percentile at 99 % confidence
# (https://github.com/mlcommons/inference_policies, "Early stopping").
SAMPLES_FOR = {90: 64, 99: 662}

Samples = NDArray[np.float64]


@dataclass(frozen=True)
class Interval:
    """A figure with its 95 % interval."""

    value: float
    low: float
    high: float


def median(samples: Samples) -> Interval:
    """Return the median of the samples, in their order of measurement, with a block-bootstrap interval."""
    draws = _bootstrap_medians(samples, seed=RESAMPLING_SEED)
    low, high = np.quantile(draws, (0.025, 0.975))
    return Interval(float(np.median(samples)), float(low), float(high))


def percentile(samples: Samples, percent: int) -> float | None:
    """Return the smallest sample that ``percent`` % of all do not exceed (nearest rank); None with too few samples."""
    if len(samples) < SAMPLES_FOR[percent]:
        return None
    return float(np.percentile(samples, percent, method="inverted_cdf"))


def speedup(baseline: Samples, candidate: Samples) -> Interval:
    """Return how many times faster the candidate's median is, with a block-bootstrap interval."""
    ratios = _bootstrap_medians(baseline, seed=RESAMPLING_SEED) / _bootstrap_medians(
        candidate, seed=RESAMPLING_SEED + 1
    )
    low, high = np.quantile(ratios, (0.025, 0.975))
    return Interval(float(np.median(baseline) / np.median(candidate)), float(low), float(high))


def verdict(ratio: Interval) -> str:
    """Say in a word what a speed-up means."""
    if ratio.low > 1:
        return FASTER
    return "slower" if ratio.high < 1 else "indistinguishable"


def _bootstrap_medians(samples: Samples, *, seed: int) -> Samples:
    blocks = np.array([np.median(block) for block in np.array_split(samples, min(BLOCKS, len(samples)))])
    rows = np.random.default_rng(seed).integers(0, len(blocks), (RESAMPLES, len(blocks)))
    medians: Samples = np.median(blocks[rows], axis=1)
    return medians
