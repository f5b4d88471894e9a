"""Tango's score bounds and McNemar's test, of any counts."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from tests.properties import quick
from toolkit.parity.statistics import loss_bounds, mcnemar_p

# Beyond what 60 halvings of [-1, 1] and the score's own rounding leave.
EXACT = 1e-9


@st.composite
def counts(draw):
    """Draw images lost and gained, and all images."""
    n = draw(st.integers(1, 20_000))
    lost = draw(st.integers(0, n))
    return lost, draw(st.integers(0, n - lost)), n


@quick
@given(counts())
def test_the_bounds_enclose_the_loss_that_was_seen(counted):
    lost, gained, n = counted
    lower, upper = loss_bounds(lost, gained, n)
    assert -1 <= lower <= (lost - gained) / n + EXACT
    assert (lost - gained) / n - EXACT <= upper <= 1


@quick
@given(counts())
def test_reference_and_candidate_swapped_mirror_the_bounds(counted):
    lost, gained, n = counted
    lower, upper = loss_bounds(lost, gained, n)
    assert loss_bounds(gained, lost, n) == pytest.approx((-upper, -lower), abs=EXACT)


@quick
@given(counts())
def test_one_more_image_lost_lowers_no_bound(counted):
    lost, gained, n = counted
    assume(lost + gained < n)
    before, after = loss_bounds(lost, gained, n), loss_bounds(lost + 1, gained, n)
    assert all(bound >= old - EXACT for bound, old in zip(after, before, strict=True))


@quick
@given(counts(), st.floats(0.6, 0.99), st.floats(0.6, 0.99))
def test_more_confidence_never_narrows_the_interval(counted, one, other):
    less, more = (loss_bounds(*counted, confidence=confidence) for confidence in sorted((one, other)))
    assert more[0] <= less[0] + EXACT
    assert less[1] <= more[1] + EXACT


@quick
@given(st.integers(0, 300), st.integers(0, 300))
def test_the_exact_test_is_symmetric_and_equal_counts_say_nothing(lost, gained):
    p_value = mcnemar_p(lost, gained)
    assert 0 < p_value <= 1
    assert p_value == mcnemar_p(gained, lost)
    assert mcnemar_p(lost, lost) == 1
