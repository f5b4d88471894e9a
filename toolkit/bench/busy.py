"""Busy work after a block of inferences: a slow-down of known size, to test a benchmark by.

It lasts a given share of the time that the inferences of the same block took, whatever else runs. A loop of a fixed
number of turns would not: other programs slow inferences and the loop differently.
"""

from collections.abc import Callable

Clock = Callable[[], int]


def until(instant: int, clock: Clock) -> int:
    """Do nothing until an instant, in ns of the clock; return what the clock says then."""
    while (now := clock()) < instant:
        pass
    return now
