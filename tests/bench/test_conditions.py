"""What marks a block, from two looks at a made-up machine."""

from dataclasses import replace

import pytest

from toolkit.bench import conditions
from toolkit.bench.conditions import ADVICE, changes
from toolkit.host import State, describe_throttled

STEADY = State(
    clock_hz=2.4e9, governor="performance", temperature_c=50.0, load=0.1, running=1, throttled=0, steal_s=10.0
)


def test_a_machine_that_stays_as_it_was_marks_nothing():
    assert changes(STEADY, replace(STEADY, temperature_c=70.0, load=0.5, clock_hz=2.3e9), seconds=0.03) == ()
    unknown = State(None, None, None, None, None, None, None)
    assert changes(unknown, unknown, seconds=0.03) == ()


@pytest.mark.parametrize(
    ("after", "marks"),
    [
        ({"clock_hz": 1.5e9}, ("clock changed",)),
        ({"governor": "powersave"}, ("governor changed",)),
        ({"steal_s": 10.02}, ("CPU time taken by other virtual machines",)),
        ({"steal_s": 10.002}, ()),
        ({"running": 2}, ("other programs running",)),
        ({"throttled": 0x1}, ("under-voltage now",)),
        ({"throttled": 0xC}, ("throttled now", "soft temperature limit now")),
        ({"throttled": 0x50000}, ("under-voltage now", "throttled now")),
    ],
)
def test_what_changed_on_the_machine_during_a_block_is_named(after, marks):
    assert changes(STEADY, replace(STEADY, **after), seconds=0.03) == marks


def test_a_throttled_start_marks_a_block_that_ends_well():
    assert changes(replace(STEADY, throttled=0x4), STEADY, seconds=0.03) == ("throttled now",)


def test_what_was_before_the_block_marks_nothing():
    before = replace(STEADY, throttled=0x50000)
    assert changes(before, before, seconds=0.03) == ()


def test_every_mark_comes_with_advice():
    assert set(describe_throttled(0xF)) <= ADVICE.keys()
    assert {conditions.CLOCK, conditions.GOVERNOR, conditions.STEAL, conditions.OTHERS} <= ADVICE.keys()
