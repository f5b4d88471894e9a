"""How much slower a candidate may be than its reference, or how many more instructions it may execute."""

from toolkit.errors import UsageError

# Shares, unless told otherwise. Times differ by percents from process to process, counts of instructions hardly at all.
SLOWER = 0.05
MORE_INSTRUCTIONS = 0.01


def check_tolerance(tolerance: float) -> None:
    """Raise UsageError for a tolerance below 0."""
    if not tolerance >= 0:
        raise UsageError(f"the tolerance is {100 * tolerance:.4g} %; it must be 0 % or more")
