"""Which candidates are left, and below what a training is given up."""

from dataclasses import dataclass

import pytest

from tests.search.made_up import LARGE, SMALL
from toolkit.search.budgets import Costs
from toolkit.search.front import floors, front


@dataclass(frozen=True)
class One:
    name: str
    costs: Costs
    accuracy: float
    curve: tuple[float, ...] = ()


def names(*ones, rows=10_000):
    return [one.name for one in front(ones, validation_rows=rows)]


def test_what_costs_no_more_and_is_as_accurate_leaves_nothing_else():
    assert names(One("large", LARGE, 0.98), One("small", SMALL, 0.98)) == ["small"]


def test_a_larger_network_is_left_if_it_is_better_by_more_than_a_standard_error():
    """Of 10,000 rows at 99 % that is 0.0995 points."""
    assert names(One("small", SMALL, 0.989), One("large", LARGE, 0.9899)) == ["small"]
    assert names(One("small", SMALL, 0.989), One("large", LARGE, 0.9901)) == ["small", "large"]


def test_a_candidate_is_compared_with_those_on_the_front_and_not_with_those_that_left_it():
    """Three steps of less than a standard error each come to more than one."""
    middle = Costs(5_000, 50_000, 700, 500)
    ones = (One("small", SMALL, 0.989), One("middle", middle, 0.98995), One("large", LARGE, 0.9909))
    assert names(*ones) == ["small", "large"]


def test_networks_that_differ_in_what_they_take_do_not_beat_each_other():
    few_macs = Costs(9_000, 1_000, 900, 900)
    assert names(One("small", SMALL, 0.98), One("few", few_macs, 0.97)) == ["small", "few"]


def test_of_candidates_of_equal_costs_the_most_accurate_is_left():
    assert names(One("worse", SMALL, 0.9), One("better", SMALL, 0.95)) == ["better"]


def test_the_front_of_no_candidates_is_empty():
    assert front((), validation_rows=100) == ()


def ended(*curves, costs=SMALL):
    return [One("", costs, max(curve), curve) for curve in curves]


FIVE = [(0.1, 0.5 + 0.1 * place, 0.4) for place in range(5)]


def test_the_floor_is_the_median_of_the_best_so_far_behind_the_first_third():
    assert floors(SMALL, ended(*FIVE), epochs=3) == pytest.approx((0.0, 0.7, 0.7))


def test_four_before_are_too_few_for_a_floor():
    assert floors(SMALL, ended(*FIVE[:4]), epochs=3) == ()


def test_a_small_network_need_not_keep_up_with_larger_ones():
    assert floors(SMALL, ended(*FIVE, costs=LARGE), epochs=3) == ()
    assert floors(LARGE, ended(*FIVE, costs=SMALL), epochs=3) != ()
