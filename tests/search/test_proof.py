"""What is claimed of a front: intervals that share one error, and what is shown with them."""

from dataclasses import replace

import pytest

from toolkit.parity.statistics import loss_bounds
from toolkit.search.proof import Member, Paired, Proof, least_rows
from toolkit.study import statistics
from toolkit.verdict import Verdict


def member(name="trial-001", *, size=8_000, right=9_950, rival=None, verdict=Verdict.PASS):
    return Member(name, f"{name}/tiny-int8.tflite", size, right, Paired(3, 1), verdict, rival)


def proof(*members, least=None, rival=None, must_match=False):
    return Proof(10_000, least, rival, 9_899 if rival else None, must_match, members)


def test_one_member_has_an_interval_of_95_percent_and_five_share_the_error():
    alone, several = proof(member()), proof(*[member()] * 5)
    assert alone.confidence == 0.95
    assert several.confidence == pytest.approx(0.99)
    assert alone.accuracy(member()) == statistics.share(9_950, 10_000)
    wide, narrow = several.accuracy(member()), alone.accuracy(member())
    assert wide.low < narrow.low < narrow.high < wide.high


def test_the_interval_at_another_confidence_is_wilsons():
    """z = 2.5758: (0.995 + 0.000331745 ± 0.001845) / 1.000663."""
    found = statistics.share(9_950, 10_000, confidence=0.99)
    assert (found.low, found.high) == pytest.approx((0.992825, 0.996518), abs=2e-6)


def test_an_accuracy_is_reached_if_the_whole_interval_is_above():
    assert proof(member(), least=0.993).reaches(member()) is True
    assert proof(*[member()] * 10, least=0.993).reaches(member()) is False
    assert proof(member()).reaches(member()) is None


@pytest.mark.parametrize(("accuracy", "least"), [(0.6, 6), (0.95, 73), (0.993, 545), (0.999, 3_838)])
def test_so_many_rows_without_an_error_reach_an_accuracy_and_no_fewer(accuracy, least):
    assert least_rows(accuracy) == least
    for n, reached in ((least, True), (least - 1, False)):
        perfect = member(right=n)
        assert Proof(n, accuracy, None, None, False, (perfect,)).reaches(perfect) is reached


def test_a_member_is_as_good_if_its_bound_is_within_the_margin():
    beside = member(rival=Paired(10, 61))
    of = proof(beside, rival="cnn.keras")
    loss = of.loss_pp(beside)
    assert loss.value == pytest.approx(-0.51)
    assert (loss.low, loss.high) == pytest.approx([100 * bound for bound in loss_bounds(10, 61, 10_000)])
    assert of.is_as_good(beside) is True
    worse = member(rival=Paired(40, 20))
    assert proof(worse, rival="cnn.keras").is_as_good(worse) is False
    assert proof(member()).is_as_good(member()) is None


def test_the_smallest_is_the_smallest_of_which_everything_is_shown():
    tiny = member("trial-001", size=2_000, right=9_000)
    wrong = member("trial-002", size=3_000, verdict=Verdict.FAIL)
    good, large = member("trial-003", size=5_000), member("trial-004", size=9_000)
    of = proof(tiny, wrong, large, good, least=0.99)
    assert of.smallest == good
    assert proof(tiny, least=0.99).smallest is None
    assert [one["reaches_min_accuracy"] for one in of.to_json()["members"]] == [False, True, True, True]
    assert of.to_json()["looks"] == 1


def test_a_rival_that_nobody_named_decides_nothing():
    worse = member(rival=Paired(40, 20))
    assert proof(worse, rival="cnn.keras").smallest == worse
    assert proof(worse, rival="cnn.keras", must_match=True).smallest is None


@pytest.mark.parametrize(
    "members",
    [
        (),
        (member(right=10_001),),
        (replace(member(), own=Paired(-1, 0)),),
        (member(rival=Paired(6_000, 6_000)),),
        (member(rival=Paired(1, 1)),),
    ],
)
def test_counts_that_cannot_be_make_no_proof(members):
    with pytest.raises(ValueError, match="rows"):
        proof(*members)
