"""What Optuna proposes, and what it says of what mattered."""

import pytest

from tests.search.made_up import choice, takes
from toolkit.search.budgets import Budgets, Costs, MeasuredCost
from toolkit.search.proposals import FEWEST_TO_WEIGH, Observation, importances, propose


def result(of, accuracy):
    return Observation(of, takes(of.model), accuracy)


def drawn(count):
    return [propose([], Budgets(), seed=0, number=number, attempt=0) for number in range(count)]


def test_a_proposal_depends_on_seed_number_attempt_and_what_is_known_alone():
    known = [result(one, 0.5) for one in drawn(12)]
    first = propose(known, Budgets(), seed=0, number=13, attempt=0)
    assert propose(known, Budgets(), seed=0, number=13, attempt=0) == first
    others = [
        propose(known, Budgets(), seed=1, number=13, attempt=0),
        propose(known, Budgets(), seed=0, number=14, attempt=0),
        propose(known, Budgets(), seed=0, number=13, attempt=1),
    ]
    assert first not in others


def test_proposals_go_where_accuracy_is_high():
    """Separable networks are right, plain ones never."""
    known = [result(one, 0.9 if one.conv == "separable" else 0.1) for one in drawn(30)]
    proposed = [propose(known, Budgets(), seed=0, number=number, attempt=0) for number in range(31, 51)]
    assert sum(one.conv == "separable" for one in proposed) > 15


def test_a_proposal_knows_the_candidates_that_are_being_trained():
    known = [result(one, 0.5) for one in drawn(12)]
    assert propose([*known, result(choice(), None)], Budgets(), seed=0, number=13, attempt=0)


def test_what_decided_the_accuracy_mattered_most():
    ones = drawn(40)
    known = [result(one, 0.9 if one.conv == "separable" else 0.1) for one in ones]
    found = importances(known)
    assert next(iter(found)) == "conv"
    assert sum(found.values()) == pytest.approx(1)


def test_few_candidates_do_not_tell_which_choices_mattered():
    assert importances([result(one, 0.5) for one in drawn(FEWEST_TO_WEIGH - 1)]) == {}
    assert importances([result(one, None) for one in drawn(FEWEST_TO_WEIGH)]) == {}


TOO_SLOW = Costs(1, 1, 1, 1, latency_s=MeasuredCost(2.0, 2.0, 2.0, "a CPU"))


@pytest.mark.parametrize(
    ("budgets", "costs", "accuracy"),
    [
        pytest.param(Budgets(max_latency_s=1.0), TOO_SLOW, 0.0, id="too slow, and never trained"),
        pytest.param(Budgets(min_accuracy=0.95), Costs(1, 1, 1, 1), 0.94, id="not accurate enough"),
    ],
)
def test_what_misses_a_budget_does_not_count_as_good_however_small_it_is(budgets, costs, accuracy):
    """Separable networks take next to nothing here, and miss what was asked for."""
    known = [Observation(one, costs, accuracy) if one.conv == "separable" else result(one, 0.96) for one in drawn(40)]
    proposed = [propose(known, budgets, seed=0, number=number, attempt=0) for number in range(41, 61)]
    assert sum(one.conv == "plain" for one in proposed) > 15
