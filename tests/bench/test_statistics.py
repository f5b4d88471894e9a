import numpy as np
import pytest

from toolkit.bench import statistics


def test_a_constant_sample_has_no_spread():
    figure = statistics.median(np.full(100, 2e-5))
    assert (figure.value, figure.low, figure.high) == (2e-5, 2e-5, 2e-5)


def test_percentiles_are_nearest_rank_and_exact():
    samples = np.random.default_rng(0).permutation(np.arange(1, 1001) / 1000)
    assert statistics.percentile(samples, 90) == 0.9
    assert statistics.percentile(samples, 99) == 0.99


@pytest.mark.parametrize(("percent", "needed"), [(90, 64), (99, 662)])
def test_a_percentile_that_the_sample_cannot_support_is_withheld(percent, needed):
    assert statistics.percentile(np.ones(needed - 1), percent) is None
    assert statistics.percentile(np.ones(needed), percent) == 1.0


def test_the_interval_covers_the_true_median():
    rng = np.random.default_rng(1)
    truth = np.exp(0.0)
    figures = [statistics.median(rng.lognormal(0, 0.2, 400)) for _ in range(200)]
    assert 0.9 <= np.mean([f.low <= truth <= f.high for f in figures]) <= 1.0


def test_a_speed_up_is_a_ratio_of_medians_with_an_interval():
    rng = np.random.default_rng(2)
    slow, fast = rng.normal(40, 1, 500), rng.normal(20, 1, 500)
    ratio = statistics.speedup(slow, fast)
    assert ratio.low < 2 < ratio.high
    assert statistics.verdict(ratio) == "faster"
    assert statistics.verdict(statistics.speedup(fast, slow)) == "slower"


def test_the_same_distribution_is_rarely_called_different():
    rng = np.random.default_rng(3)
    verdicts = [
        statistics.verdict(statistics.speedup(rng.normal(20, 1, 400), rng.normal(20, 1, 400))) for _ in range(100)
    ]
    assert verdicts.count("indistinguishable") >= 88


def test_drift_widens_the_interval():
    rng = np.random.default_rng(4)
    steady = rng.normal(20, 0.1, 1000)
    drifting = steady + np.linspace(0, 4, 1000)
    assert (statistics.median(drifting).high - statistics.median(drifting).low) > 5 * (
        statistics.median(steady).high - statistics.median(steady).low
    )
