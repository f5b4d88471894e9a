"""Tango's score bounds: published examples, closed forms, the equation itself, and coverage by simulation."""

from math import comb

import numpy as np
import pytest

from toolkit.parity.statistics import images_to_decide, loss_bounds, mcnemar_p

Z95 = 1.6448536269514722


def test_a_published_example_of_the_interval_and_of_the_exact_test():
    """M. W. Fagerland, S. Lydersen and P. Laake, "Recommended tests and confidence intervals for paired binomial
    proportions", Statistics in Medicine 33, 2850-2875, 2014: of 21 children 1 and 7 changed (Bentur et al., 2009);
    Tango's 95 % interval is -0.517 to -0.026, the exact conditional McNemar test has P = 0.0703.
    """
    lower, upper = loss_bounds(1, 7, 21, confidence=0.975)
    assert (round(lower, 3), round(upper, 3)) == (-0.517, -0.026)
    assert round(mcnemar_p(1, 7), 4) == 0.0703


@pytest.mark.parametrize(("lost", "gained"), [(0, 0), (3, 3), (0, 6), (12, 5), (40, 41)])
def test_the_exact_test_is_the_binomial_sum(lost, gained):
    n, k = lost + gained, min(lost, gained)
    tail = sum(comb(n, i) for i in range(k + 1)) / 2**n
    assert mcnemar_p(lost, gained) == pytest.approx(min(1.0, 2 * tail))


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


@pytest.mark.parametrize(("lost_rate", "gained_rate"), [(0.003, 0.002), (0.02, 0.02), (0.05, 0.03)])
def test_the_two_sided_interval_covers_the_true_loss(lost_rate, gained_rate):
    rng = np.random.default_rng(1)
    n, trials = 2000, 2000
    draws = rng.multinomial(n, [lost_rate, gained_rate, 1 - lost_rate - gained_rate], size=trials)
    counts = {(int(a), int(b)) for a, b, _ in draws}
    intervals = {(a, b): loss_bounds(a, b, n, confidence=0.975) for a, b in counts}
    truth = lost_rate - gained_rate
    covered = np.mean([intervals[int(a), int(b)][0] <= truth <= intervals[int(a), int(b)][1] for a, b, _ in draws])
    assert 0.935 <= covered <= 0.975


@pytest.mark.parametrize(("lost", "gained", "n"), [(0, 0, 100), (45, 0, 10_000), (3, 1, 500), (70, 10, 10_000)])
def test_the_number_of_images_that_decides_is_the_smallest_that_does(lost, gained, n):
    enough = images_to_decide(lost, gained, n, 0.005)
    for images, decided in ((enough, True), (int(enough * 0.998) - 1, False)):
        lower, upper = loss_bounds(lost * images / n, gained * images / n, images)
        assert (upper <= 0.005 or lower > 0.005) == decided, images


def test_no_number_of_images_decides_a_loss_equal_to_the_margin():
    assert images_to_decide(50, 0, 10_000, 0.005) is None


@pytest.mark.parametrize(("lost", "gained", "n"), [(0, 0, 0), (-1, 0, 5), (4, 2, 5)])
def test_counts_that_cannot_be_are_refused(lost, gained, n):
    with pytest.raises(ValueError, match="images"):
        loss_bounds(lost, gained, n)
