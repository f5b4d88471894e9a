import numpy as np
import pytest

from toolkit.study import statistics


def test_the_score_interval_is_that_of_the_tables():
    """R. G. Newcombe, Statistics in Medicine 17, 857-872, 1998, table I, method 3: 81 of 263 and 0 of 20."""
    interval = statistics.share(81, 263)
    assert (round(interval.low, 4), round(interval.high, 4)) == (0.2553, 0.3662)
    interval = statistics.share(0, 20)
    assert (round(interval.low, 4), round(interval.high, 4)) == (0.0, 0.1611)


def test_a_share_of_no_cases_is_an_error():
    with pytest.raises(ValueError, match="1 of 0"):
        statistics.share(1, 0)


def test_the_median_is_over_configurations_and_not_over_seeds():
    assert statistics.median([[1.0, 1.0, 1.0], [3.0]]).value == 2.0


def test_configurations_without_figures_do_not_count_in_the_median():
    assert statistics.median([[], []]) is None
    assert statistics.median([[1.0, 2.0], []]) == statistics.Median(1.5, 1.5, 1.5, 1, is_interval=False)


@pytest.mark.parametrize(("n", "rank"), [(6, 1), (8, 1), (9, 2), (12, 3), (15, 4), (20, 6), (25, 8), (50, 18)])
def test_the_interval_ends_at_the_ranks_of_the_tables(n, rank):
    """Conover 1999, table A3 with p = 0.5; the same in every table of the sign test at 5 %, two-sided."""
    interval = statistics.median([[float(figure)] for figure in range(1, n + 1)])
    assert (interval.low, interval.high, interval.is_interval) == (rank, n + 1 - rank, True)


def test_five_figures_have_a_range_and_no_interval():
    found = statistics.median([[5.0], [1.0], [2.0], [9.0], [3.0]])
    assert (found.value, found.low, found.high, found.is_interval) == (3.0, 1.0, 9.0, False)


def test_the_interval_covers_the_true_median_of_a_skewed_figure_at_least_as_often_as_it_says():
    rng = np.random.default_rng(0)
    covered = 0
    for _ in range(500):
        interval = statistics.median([[value] for value in rng.exponential(1.0, 12)])
        covered += interval.low <= np.log(2) <= interval.high
    assert covered / 500 >= 0.95
