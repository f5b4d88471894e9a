"""Tango's score bounds: closed forms, the equation itself, and coverage by simulation."""

import numpy as np
import pytest

from toolkit.parity.statistics import loss_bounds

Z95 = 1.6448536269514722


@pytest.mark.parametrize("n", [10, 500, 10_000])
def test_without_a_discordant_pair_the_bound_has_a_closed_form(n):
    lower, upper = loss_bounds(0, 0, n)
    assert upper == pytest.approx(Z95**2 / (n + Z95**2), rel=1e-9)
    assert lower == pytest.approx(-upper)


@pytest.mark.parametrize(("lost", "gained", "n"), [(3, 1, 50), (12, 0, 100), (0, 7, 30), (40, 38, 10_000), (30, 0, 30)])
def test_swapping_lost_and_gained_mirrors_the_bounds(lost, gained, n):
    lower, upper = loss_bounds(lost, gained, n)
    mirrored = loss_bounds(gained, lost, n)
    assert lower == pytest.approx(-mirrored[1], abs=1e-12)
    assert upper == pytest.approx(-mirrored[0], abs=1e-12)
    assert lower <= (lost - gained) / n <= upper


def test_the_bounds_solve_the_score_equation():
    """At each bound the score statistic, written out here from the paper, is the normal quantile."""
    lost, gained, n = 9, 3, 200
    for bound, score in zip(loss_bounds(lost, gained, n), (Z95, -Z95), strict=True):
        a, b, c = 2 * n, -lost - gained + (2 * n - lost + gained) * bound, -gained * bound * (1 - bound)
        q21 = (np.sqrt(b * b - 4 * a * c) - b) / (2 * a)
        assert (lost - gained - n * bound) / np.sqrt(n * (2 * q21 + bound * (1 - bound))) == pytest.approx(score)


def test_a_more_uncertain_sample_has_wider_bounds():
    narrow, wide = loss_bounds(2, 2, 1000), loss_bounds(20, 20, 1000)
    assert wide[0] < narrow[0] < 0 < narrow[1] < wide[1]


@pytest.mark.parametrize(("lost_rate", "gained_rate"), [(0.003, 0.002), (0.01, 0.0), (0.05, 0.03)])
def test_the_upper_bound_covers_the_true_loss(lost_rate, gained_rate):
    """Of many simulated test sets, 95 % have a bound above the true loss (score bounds may be a little off)."""
    rng = np.random.default_rng(0)
    n, trials = 1000, 2000
    draws = rng.multinomial(n, [lost_rate, gained_rate, 1 - lost_rate - gained_rate], size=trials)
    bounds = {
        (lost, gained): loss_bounds(lost, gained, n)[1] for lost, gained in {(int(a), int(b)) for a, b, _ in draws}
    }
    covered = np.mean([bounds[int(a), int(b)] >= lost_rate - gained_rate for a, b, _ in draws])
    assert 0.93 <= covered <= 0.985


@pytest.mark.parametrize(("lost", "gained", "n"), [(0, 0, 0), (-1, 0, 5), (4, 2, 5)])
def test_counts_that_cannot_be_are_refused(lost, gained, n):
    with pytest.raises(ValueError, match="images"):
        loss_bounds(lost, gained, n)
