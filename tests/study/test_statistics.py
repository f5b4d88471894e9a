import math

import numpy as np
import pytest

from toolkit.study import statistics


def test_the_score_interval_is_that_of_the_tables():
    """R. G. Newcombe, Statistics in Medicine 17, 857-872, 1998, table I, method 3: 81 of 263 and 0 of 20."""
    interval = statistics.share(81, 263)
    assert (round(interval.low, 4), round(interval.high, 4)) == (0.2553, 0.3662)
    interval = statistics.share(0, 20)
    assert (round(interval.low, 4), round(interval.high, 4)) == (0.0, 0.1611)


def test_no_share_of_nothing():
    with pytest.raises(ValueError, match="1 of 0"):
        statistics.share(1, 0)


def test_the_mean_is_over_configurations_and_not_over_seeds():
    assert statistics.mean([[1.0, 1.0, 1.0], [3.0]]).value == 2.0


def test_equal_figures_have_no_spread():
    interval = statistics.mean([[2.0], [2.0], [2.0]])
    assert (interval.value, interval.low, interval.high) == (2.0, 2.0, 2.0)


def test_of_none_nothing_is_known_and_of_one_no_interval():
    assert statistics.mean([[], []]) is None
    assert statistics.mean([[1.0, 2.0], []]) == statistics.Interval(1.5, -math.inf, math.inf)


def test_the_interval_covers_the_true_mean_as_often_as_it_says():
    rng = np.random.default_rng(0)
    covered = 0
    for _ in range(200):
        interval = statistics.mean([[value] for value in rng.normal(1.0, 2.0, 8)])
        covered += interval.low <= 1.0 <= interval.high
    assert 0.9 <= covered / 200 <= 0.99
