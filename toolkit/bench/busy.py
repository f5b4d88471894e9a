"""Busy work behind a block of inferences: a slow-down of known size, to test a benchmark by.

It lasts a share of what the inferences of the same block took, whatever else runs. Work that is counted instead, a loop
of so many turns, lasts another share where other programs slow inferences and the loop differently.
"""

from collections.abc import Callable

Clock = Callable[[], int]


def until(instant: int, clock: Clock) -> int:
    """Do nothing until an instant, in ns of the clock; return what the clock says then."""
    while (now := clock()) < instant:
        pass
    return now
