"""Pairs of blocks with known ratios, and simulations of what the interval promises."""

import numpy as np
import pytest

from toolkit.bench import statistics
from toolkit.bench.pairs import Pairs

PROCESSES = 10


def pairs_of(rng, speedup, *, between=0.004, within=0.02, drift=0.2, pairs=40):
    """Blocks that drift together; the candidate is ``speedup`` times as fast, by each process a little otherwise."""
    found = []
    for _ in range(PROCESSES):
        machine = 1e-4 * np.exp(rng.normal(0, drift, pairs))
        offset = rng.normal(0, between)
        noise = np.exp(rng.normal(0, within, (pairs, 2)))
        found.append(np.stack([machine, machine / speedup * np.exp(offset)], axis=1) * noise)
    return Pairs.from_processes(found)


def test_the_ratio_of_each_pair_counts_not_the_drift_of_the_machine():
    """All pairs are 2 to 1, whatever the machine does in between."""
    found = Pairs.from_processes([np.array([[2.0, 1.0], [20.0, 10.0], [8.0, 4.0]])] * 3)
    assert found.logarithms == pytest.approx([np.log(2)] * 3)
    assert found.speedup.value == pytest.approx(2)


def test_a_process_tells_the_median_of_its_pairs_and_the_speed_up_is_their_geometric_mean():
    first, second = [[1.0, 1.0], [4.0, 1.0], [9.0, 1.0]], [[1.0, 1.0]]
    found = Pairs.from_processes([np.array(first), np.array(second)])
    assert found.lengths.tolist() == [3, 1]
    assert found.logarithms == pytest.approx([np.log(4), 0.0])
    assert found.speedup.value == pytest.approx(2)
    assert found.first(1).logarithms == pytest.approx([np.log(4)])


def test_the_interval_is_student_s_over_the_processes():
    """Three of -1, 0 and 1 %: the standard deviation is 1 %, t of two degrees 4.303."""
    found = statistics.paired_speedup(np.array([-0.01, 0.0, 0.01]))
    reach = statistics.WIDENED * 4.3027 * 0.01 / np.sqrt(3)
    assert (found.value, found.low, found.high) == pytest.approx((1.0, np.exp(-reach), np.exp(reach)))


@pytest.mark.parametrize(("freedom", "quantile"), [(1, 12.706), (2, 4.303), (3, 3.182), (5, 2.571), (9, 2.262)])
def test_the_quantile_of_student_s_t_is_that_of_the_tables(freedom, quantile):
    assert statistics.student_quantile(freedom) == pytest.approx(quantile, rel=0.005)


@pytest.mark.parametrize(("freedom", "quantile"), [(1, 63.657), (2, 9.925), (5, 4.032), (7, 3.499), (9, 3.250)])
def test_the_quantile_for_several_comparisons_is_further_out(freedom, quantile):
    assert statistics.student_quantile(freedom, tails=0.01) == pytest.approx(quantile, rel=0.005)


def test_what_is_the_same_is_hardly_called_different_and_two_percent_are_seen_while_the_machine_drifts():
    rng = np.random.default_rng(0)
    same = [pairs_of(rng, 1.0).speedup for _ in range(300)]
    slower = [pairs_of(rng, 1 / 1.02).speedup for _ in range(300)]
    assert np.mean([one.low <= 1 <= one.high for one in same]) >= 0.95
    assert np.mean([one.low <= 1 / 1.02 <= one.high for one in slower]) >= 0.95
    assert np.mean([one.high < 1 for one in slower]) >= 0.95
