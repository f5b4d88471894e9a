"""Budgets as users write them, and what exceeds them."""

import pytest

from tests.search.made_up import LARGE, SMALL
from toolkit.errors import UsageError
from toolkit.search.budgets import Budgets


def test_budgets_are_numbers_with_units():
    budgets = Budgets.parse(size="16kB", macs="0.2M", memory="8 kB", accuracy=99.3)
    assert budgets == Budgets(16_000.0, 200_000.0, 8_000.0, 0.993)
    assert str(budgets) == "--max-size 16.0 kB, --max-macs 200,000, --max-memory 8.00 kB, --min-accuracy 99.3 %"
    assert str(Budgets()) == "no budget"


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"size": "16"}, "--max-size is '16'; it must be a number and a unit: B, kB, MB, GB"),
        ({"macs": "0M"}, "--max-macs is '0M'; it must be a number and a unit: k, M, G"),
        ({"memory": "-1kB"}, "--max-memory is '-1kB'"),
        ({"accuracy": 100.0}, "--min-accuracy is 100; it must be a percentage between 0 and 100"),
        ({"accuracy": float("nan")}, "--min-accuracy is nan"),
    ],
)
def test_what_is_no_budget_is_refused(given, message):
    with pytest.raises(UsageError) as refused:
        Budgets.parse(**{"size": None, "macs": None, "memory": None, "accuracy": None, **given})
    assert message in str(refused.value)


def test_what_exceeds_a_budget_is_named_with_its_factor():
    assert Budgets(4_500.0, 100_000.0, 300.0).excess(LARGE) == {"--max-size": 2.0, "--max-memory": 3.0}
    assert Budgets(9_000.0).excess(LARGE) == {}
    assert Budgets().excess(LARGE) == {}


def test_costs_are_at_most_others_if_neither_size_nor_macs_is_more():
    assert SMALL.at_most(LARGE)
    assert SMALL.at_most(SMALL)
    assert not LARGE.at_most(SMALL)
