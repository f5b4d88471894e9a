"""Busy work behind each inference, as a share of it: a slow-down of known size, to test a benchmark by."""

from collections.abc import Callable
from itertools import repeat
from statistics import median

Clock = Callable[[], int]
# How often each is timed before a block to find out how much work makes up the share, and with how many empty turns.
CALIBRATIONS = 9
CALIBRATION_TURNS = 1000


def spin(turns: int) -> None:
    """Do nothing ``turns`` times."""
    for _ in repeat(None, turns):  # every turn costs the same, where range makes an object of each number above 256
        pass


class BusyWork:
    """Busy work that takes ``share`` of the time of an inference.

    It is counted in turns of an empty loop, and not timed: what slows inferences down slows it down too.
    """

    # Shortest time to add work to, in ns: a hundredth of it is still several turns of the loop.
    LEAST_SAMPLE_NS = 50_000

    def __init__(self, share: float, clock: Clock, spin: Callable[[int], None] = spin) -> None:
        self._share, self._clock, self._spin = share, clock, spin

    def behind(self, invoke: Callable[[], object], *, prepare: Callable[[], None], loop: int) -> Callable[[], float]:
        """Return a function that times ``loop`` inferences with the work behind them: ns an inference.

        The work is measured out anew by what the inference takes now. prepare: run before each, untimed.
        """
        clock, work = self._clock, self._spin

        def timed(turns: int) -> float:
            prepare()
            start = clock()
            for _ in range(loop):
                invoke()
            work(turns)
            return (clock() - start) / loop

        turns = round(self._share * loop * self._typical(lambda: timed(0)) / self._turn_ns())
        return lambda: timed(turns)

    def _turn_ns(self) -> float:
        def timed(turns: int) -> float:
            start = self._clock()
            self._spin(turns)
            return float(self._clock() - start)

        empty = self._typical(lambda: timed(0))
        return max(1.0, self._typical(lambda: timed(CALIBRATION_TURNS)) - empty) / CALIBRATION_TURNS

    def _typical(self, time_one: Callable[[], float]) -> float:
        return median(time_one() for _ in range(CALIBRATIONS))
