"""What a claim comes to, from the cases that decide it."""

import pytest

from toolkit.study.claims.base import Case, ClaimVerdict, judge


def cases(*supports):
    """A case of each reading, which alternate between optimizers."""
    return [
        Case({"optimizer": ("adam", "sgd")[n % 2], "model": "mlp"}, one, (float(n),)) for n, one in enumerate(supports)
    ]


def test_an_axis_that_tells_no_more_than_the_most_do_is_not_named():
    judgement = judge(cases(True, True, True, False))  # of optimizers: 2 of 2, and 1 of 2
    assert judgement.verdict == ClaimVerdict.DEPENDS
    assert judgement.depends_on == ()
    assert judgement.sentence().endswith("(95 % interval of the share: 30 to 95 %). No axis of the grid tells which do")


@pytest.mark.parametrize(
    ("supports", "verdict"),
    [
        ([True] * 4, ClaimVerdict.HOLDS),
        ([True] * 9 + [False], ClaimVerdict.HOLDS),
        ([True] * 8 + [False] * 2, ClaimVerdict.DEPENDS),
        ([False] * 9 + [True], ClaimVerdict.FAILS),
        ([False] * 4, ClaimVerdict.FAILS),
        ([True] * 3, ClaimVerdict.UNDECIDED),
        ([True] * 3 + [None] * 5, ClaimVerdict.UNDECIDED),
        ([None] * 5, ClaimVerdict.UNDECIDED),
        ([], ClaimVerdict.UNDECIDED),
    ],
)
def test_the_verdict_is_the_share_of_the_deciding_cases(supports, verdict):
    assert judge(cases(*supports)).verdict == verdict


def test_what_it_depends_on_is_the_axis_that_tells_the_cases_apart():
    judgement = judge(cases(True, False, True, False))
    assert [(cell.values, cell.supporting, cell.decided) for cell in judgement.depends_on] == [
        ({"optimizer": "adam"}, 2, 2),
        ({"optimizer": "sgd"}, 0, 2),
    ]
    assert judgement.sentence() == (
        "2 of 4 deciding configurations support it (95 % interval of the share: 15 to 85 %). "
        "It depends on optimizer: Adam 2 of 2; SGD 0 of 2"
    )


def test_two_axes_are_named_where_one_does_not_tell():
    both = [
        Case({"optimizer": optimizer, "loss": loss, "model": model}, (optimizer == "adam") == (loss == "mse"), (1.0,))
        for optimizer in ("adam", "sgd")
        for loss in ("mse", "categorical_crossentropy")
        for model in ("cnn", "mlp")
    ]
    assert {tuple(cell.values) for cell in judge(both).depends_on} == {("optimizer", "loss")}
