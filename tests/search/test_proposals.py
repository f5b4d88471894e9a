"""What Optuna proposes, and what it says of what mattered."""

import pytest

from tests.search.made_up import choice, takes
from toolkit.search.budgets import Costs
from toolkit.search.proposals import FEWEST_TO_WEIGH, Result, importances, propose


def result(of, accuracy):
    return Result(of, takes(of.model), accuracy)


def drawn(count):
    return [propose([], seed=0, number=number, attempt=0) for number in range(count)]


def test_a_proposal_depends_on_seed_number_attempt_and_what_is_known_alone():
    known = [result(one, 0.5) for one in drawn(12)]
    first = propose(known, seed=0, number=13, attempt=0)
    assert propose(known, seed=0, number=13, attempt=0) == first
    others = [
        propose(known, seed=1, number=13, attempt=0),
        propose(known, seed=0, number=14, attempt=0),
        propose(known, seed=0, number=13, attempt=1),
    ]
    assert first not in others


def test_proposals_go_where_accuracy_is_high():
    """Separable networks are right, plain ones never."""
    known = [result(one, 0.9 if one.conv == "separable" else 0.1) for one in drawn(30)]
    proposed = [propose(known, seed=0, number=number, attempt=0) for number in range(31, 51)]
    assert sum(one.conv == "separable" for one in proposed) > 15


def test_what_is_being_trained_is_known_too():
    known = [result(one, 0.5) for one in drawn(12)]
    assert propose([*known, result(choice(), None)], seed=0, number=13, attempt=0)


def test_what_decided_the_accuracy_mattered_most():
    ones = drawn(40)
    known = [result(one, 0.9 if one.conv == "separable" else 0.1) for one in ones]
    found = importances(known)
    assert next(iter(found)) == "conv"
    assert sum(found.values()) == pytest.approx(1)


def test_of_few_candidates_nothing_is_said():
    assert importances([result(one, 0.5) for one in drawn(FEWEST_TO_WEIGH - 1)]) == {}
    assert importances([result(one, None) for one in drawn(FEWEST_TO_WEIGH)]) == {}


def test_what_does_not_fit_never_counts_as_good_however_small_it_is():
    """Separable networks take next to nothing of what counts here, and too much of another budget."""
    nothing = Costs(size_bytes=1, macs=1, memory_bytes=900, parameters=1)

    def found(one):
        if one.conv == "separable":
            return Result(one, nothing, 0.0, excess=0.5)
        return result(one, 0.9)

    known = [found(one) for one in drawn(40)]
    proposed = [propose(known, seed=0, number=number, attempt=0) for number in range(41, 61)]
    assert sum(one.conv == "plain" for one in proposed) > 15
