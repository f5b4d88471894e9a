"""Count what one call executes, by whatever counts the instructions of this process."""

from collections.abc import Callable
from statistics import median

# Returns how many instructions this process has executed, from some instant on.
Counter = Callable[[], int]
# Calls before the first that counts: weights are packed, buffers grow, and Python specializes what is called often,
# from the eighth call on (https://peps.python.org/pep-0659). Then those that count.
WARM_UP = 20
CALLS = 5


def count_call(call: Callable[[], object], executed: Counter) -> int:
    """Return the instructions of one call, less those of calling nothing: the median of a few."""
    nothing = _typical(_nothing, executed)
    return _typical(call, executed) - nothing


def _nothing() -> None:
    """Cost what calling something costs."""


def _typical(call: Callable[[], object], executed: Counter) -> int:
    for _ in range(WARM_UP):
        call()
    counts = []
    for _ in range(CALLS):
        before = executed()
        call()
        counts.append(executed() - before)
    return int(median(counts))
