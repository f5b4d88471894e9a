"""Budgets as users write them, and what exceeds them."""

from dataclasses import replace

import pytest

from tests.search.made_up import LARGE, SMALL
from toolkit.errors import UsageError
from toolkit.search.budgets import COSTS, OF_FILE, Budgets, MeasuredCost


def test_budgets_are_numbers_with_units():
    budgets = Budgets.parse(max_size="16kB", max_macs="0.2M", max_memory="8 kB", min_accuracy=99.3)
    assert budgets == Budgets(16_000.0, 200_000.0, 8_000.0, 0.993)
    assert str(budgets) == "--max-size 16.0 kB, --max-macs 200,000, --max-memory 8.00 kB, --min-accuracy 99.3 %"
    assert str(Budgets()) == "no budget"


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"max_size": "16"}, "--max-size is '16'; it must be a number and a unit: B, kB, MB, GB"),
        ({"max_macs": "0M"}, "--max-macs is '0M'; it must be a number and a unit: k, M, G"),
        ({"max_memory": "-1kB"}, "--max-memory is '-1kB'"),
        ({"max_instructions": "200000"}, "--max-instructions is '200000'; it must be a number and a unit: k, M, G"),
        ({"max_latency": "50"}, "--max-latency is '50'; it must be a number and a unit: s, ms, us, µs"),
        ({"min_accuracy": 100.0}, "--min-accuracy is 100; it must be a percentage between 0 and 100"),
        ({"min_accuracy": float("nan")}, "--min-accuracy is nan"),
    ],
)
def test_what_is_no_budget_is_refused(given, message):
    with pytest.raises(UsageError) as refused:
        Budgets.parse(**given)
    assert message in str(refused.value)


def test_what_exceeds_a_budget_is_named_with_its_factor():
    assert Budgets(4_500.0, 100_000.0, 300.0).excess(LARGE) == {"--max-size": 2.0, "--max-memory": 3.0}
    assert Budgets(9_000.0).excess(LARGE) == {}
    assert Budgets().excess(LARGE) == {}


def test_costs_are_at_most_others_if_neither_size_nor_macs_is_more():
    assert SMALL.at_most(LARGE)
    assert SMALL.at_most(SMALL)
    assert not LARGE.at_most(SMALL)


def measured(high, *, value=None):
    return MeasuredCost(value or high, value or high, high, "the floor on one thread of a CPU")


def test_instructions_and_latencies_are_budgets_too():
    budgets = Budgets.parse(max_instructions="0.2M", max_latency="50us")
    assert budgets.max_instructions == 200_000
    assert budgets.max_latency_s == pytest.approx(50e-6)
    assert str(budgets) == "--max-instructions 200,000, --max-latency 50.0 µs"
    assert [cost.field for cost in budgets.measured] == ["instructions", "latency_s"]
    assert Budgets(9_000.0).measured == ()


def test_a_latency_is_met_if_the_upper_end_of_its_interval_is():
    budgets = Budgets(max_latency_s=50e-6)
    assert budgets.excess(replace(SMALL, latency_s=measured(50e-6, value=40e-6))) == {}
    assert budgets.excess(replace(SMALL, latency_s=measured(75e-6, value=40e-6))) == {
        "--max-latency": pytest.approx(1.5)
    }
    assert budgets.excess(SMALL) == {}  # it was not measured


def test_what_was_measured_is_not_among_what_the_file_tells():
    costs = replace(LARGE, instructions=measured(300_000))
    budgets = Budgets(4_500.0, max_instructions=200_000.0)
    assert budgets.excess(costs) == {"--max-size": 2.0, "--max-instructions": 1.5}
    assert budgets.excess(costs, OF_FILE) == {"--max-size": 2.0}


def test_costs_are_told_with_what_was_measured():
    costs = replace(SMALL, instructions=measured(35_000), latency_s=measured(13e-6, value=12e-6))
    assert str(costs) == (
        "2.00 kB of int8 file, 10,000 MACs, 500 B of tensors, 35,000 instructions, 13.0 µs of latency"
    )
    shown = {cost.heading: cost.describe(costs) for cost in COSTS}
    assert (shown["instructions"], shown["latency"]) == ("35,000", "12.0 µs (at most 13.0 µs)")
    assert {cost.describe(SMALL) for cost in COSTS if cost.is_measured} == {"–"}


def test_instructions_count_instead_of_macs_where_they_are_known():
    few, many = (replace(LARGE, instructions=measured(count)) for count in (10, 20))
    assert few.at_most(replace(many, macs=1))
    assert not many.at_most(few)


@pytest.mark.parametrize("figures", [(0.0, 0.0, 1.0), (2.0, 1.0, 1.5), (1.0, 2.0, 3.0), (float("nan"),) * 3])
def test_a_figure_that_is_not_within_its_interval_is_none(figures):
    value, low, high = figures
    with pytest.raises(ValueError, match="is not between"):
        MeasuredCost(value, low, high, "a CPU")


def test_the_shares_by_which_a_network_misses_budgets_are_added_up():
    budgets = Budgets(4_500.0, 60_000.0, min_accuracy=0.99)
    assert budgets.missed(LARGE, 0.99) == pytest.approx(1.0 + 0.5)
    assert budgets.missed(SMALL, 0.891) == pytest.approx(0.1)
    assert budgets.missed(SMALL, 1.0) == 0
    assert Budgets().missed(LARGE, 0.0) == 0
