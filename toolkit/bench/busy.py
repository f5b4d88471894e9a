"""Busy work behind a block of inferences: a slow-down of known size, to test a benchmark by.

It is counted in turns of an empty loop, and not timed: what slows inferences down slows it down too.
"""

from collections.abc import Callable
from itertools import repeat
from statistics import median

Clock = Callable[[], int]
# How often the loop is timed to find out what a turn takes, and with how many turns.
CALIBRATIONS = 15
CALIBRATION_TURNS = 2000


def spin(turns: int) -> None:
    """Do nothing ``turns`` times."""
    for _ in repeat(None, turns):  # every turn costs the same, where range makes an object of each number above 256
        pass


def turn_ns(clock: Clock, spin: Callable[[int], None] = spin) -> float:
    """Return what a turn takes, in ns; what an empty call takes is not part of it."""

    def typical(turns: int) -> float:
        taken = []
        for _ in range(CALIBRATIONS):
            start = clock()
            spin(turns)
            taken.append(clock() - start)
        return median(taken)

    return max(1.0, typical(CALIBRATION_TURNS) - typical(0)) / CALIBRATION_TURNS
