"""Exact cases, and simulations of what an interval and a verdict promise."""

import numpy as np
import pytest

from toolkit.bench import statistics
from toolkit.bench.statistics import Blocks, SpeedVerdict
from toolkit.interval import Interval

PROCESSES, TURNS, LENGTH = 5, 8, 20


def blocks_of(rng, median=20.0, between=0.0, within=0.02, processes=PROCESSES):
    """Latencies of processes and blocks that each differ by a share of the median."""
    scale = median * np.exp(rng.normal(0, between, (processes, 1, 1)) + rng.normal(0, within, (processes, TURNS, 1)))
    samples = scale * np.exp(rng.normal(0, 0.02, (processes, TURNS, LENGTH)))
    return Blocks(samples.ravel(), np.full((processes, TURNS), LENGTH))


def test_block_medians_by_process_and_turn():
    blocks = Blocks(np.array([1.0, 2, 3, 10, 20, 5, 7, 6, 4, 4]), np.array([[3, 2], [1, 4]]))
    assert blocks.medians.tolist() == [[2, 15], [5, 5]]
    assert statistics.median(blocks).value == 5.0 - 0.5


def test_constant_latencies_have_no_spread():
    figure = statistics.median(Blocks(np.full(100, 2e-5), np.full((5, 4), 5)))
    assert (figure.value, figure.low, figure.high) == (2e-5, 2e-5, 2e-5)


def test_percentiles_are_nearest_rank_and_exact():
    samples = np.random.default_rng(0).permutation(np.arange(1, 1001) / 1000)
    assert [statistics.percentile(samples, percent) for percent in (90, 95, 99)] == [0.9, 0.95, 0.99]


@pytest.mark.parametrize(("percent", "needed"), [(90, 64), (95, 130), (99, 662)])
def test_a_percentile_that_the_sample_cannot_support_is_withheld(percent, needed):
    assert statistics.percentile(np.ones(needed - 1), percent) is None
    assert statistics.percentile(np.ones(needed), percent) == 1.0


def test_outliers_lie_outside_tukey_s_fences():
    """Quartiles 3 and 7 of 1 to 9: the fences are -3 and 13."""
    assert statistics.outliers(np.arange(1.0, 10.0)) == 0
    assert statistics.outliers(np.array([*range(1, 9), 9, 100.0, -50.0])) == 2


@pytest.mark.slow
@pytest.mark.parametrize(("between", "within"), [(0.0, 0.03), (0.02, 0.03), (0.05, 0.02)])
def test_the_interval_covers_the_true_median(between, within):
    rng = np.random.default_rng(1)
    figures = [statistics.median(blocks_of(rng, 20.0, between, within)) for _ in range(150)]
    assert np.mean([figure.low <= 20 <= figure.high for figure in figures]) >= 0.9


@pytest.mark.slow
@pytest.mark.parametrize(("between", "within"), [(0.0, 0.03), (0.02, 0.03), (0.05, 0.02)])
def test_the_same_latencies_are_called_different_at_most_one_time_in_twenty(between, within):
    rng = np.random.default_rng(2)
    pairs = ((blocks_of(rng, 20, between, within), blocks_of(rng, 20, between, within)) for _ in range(200))
    verdicts = [statistics.verdict(statistics.speedup(*pair)) for pair in pairs]
    assert verdicts.count(SpeedVerdict.INDISTINGUISHABLE) >= 0.95 * len(verdicts)


def test_a_speed_up_is_a_ratio_of_medians_with_an_interval():
    rng = np.random.default_rng(3)
    slow, fast = blocks_of(rng, 40), blocks_of(rng, 20)
    ratio = statistics.speedup(slow, fast)
    assert ratio.value == np.median(slow.samples) / np.median(fast.samples)
    assert ratio.low < 2 < ratio.high
    assert statistics.verdict(ratio) == "faster"
    assert statistics.verdict(statistics.speedup(fast, slow)) == "slower"


def test_drift_that_hits_both_alike_leaves_the_ratio_narrow():
    """What one turn does to all is in no ratio of the blocks of that turn."""
    rng = np.random.default_rng(4)
    drift = np.repeat(np.exp(rng.normal(0, 0.3, (PROCESSES, TURNS))).ravel(), LENGTH)
    pair = [blocks_of(rng, median, 0, 0.005) for median in (30, 20)]
    drifting = [Blocks(blocks.samples * drift, blocks.lengths) for blocks in pair]
    ratio, alone = statistics.speedup(*drifting), statistics.median(drifting[0])
    assert ratio.low < 1.5 < ratio.high
    assert np.log(ratio.high / ratio.low) < 0.2 * np.log(alone.high / alone.low)


@pytest.mark.parametrize(("freedom", "published"), [(2, 4.303), (4, 2.776), (9, 2.262), (29, 2.045), (1000, 1.962)])
def test_student_s_quantile_is_the_published_one(freedom, published):
    assert statistics.student_quantile(freedom) == pytest.approx(published, rel=0.03)


def test_one_process_is_not_widened_and_more_are():
    rng = np.random.default_rng(5)
    one = blocks_of(rng, 20, 0, 0.02, processes=1)
    assert statistics.median(one).low < 20 < statistics.median(one).high


def test_two_processes_do_not_widen_an_interval_without_bound():
    rng = np.random.default_rng(0)
    latencies = Blocks(rng.normal(20e-6, 5e-6, 400).clip(5e-6), np.full((2, 10), 20))
    found = statistics.median(latencies)
    assert 15e-6 < found.low < found.value < found.high < 25e-6


@pytest.mark.parametrize(
    ("ratio", "bound", "words"),
    [
        (Interval(1.5, 1.319, 1.7), 1.319, "faster, at least 1.31×"),
        (Interval(0.5, 0.4, 0.8), 1.25, "slower, at least 1.25×"),
        (Interval(1.01, 0.99, 1.03), None, "indistinguishable"),
        (Interval(1.02, 1.009, 1.03), 1.009, "faster"),
    ],
)
def test_a_verdict_says_by_how_much_at_least(ratio, bound, words):
    assert statistics.at_least(ratio) == bound
    assert statistics.describe(ratio) == words
