"""How much slower a candidate may be than its reference, or how many more instructions it may execute."""

from toolkit import units

# Shares, unless told otherwise. Times differ by percents from process to process, counts of instructions hardly at all.
SLOWER = 0.05
MORE_INSTRUCTIONS = 0.01


def check_tolerance(tolerance: float) -> None:
    """Raise UsageError for a tolerance below 0, or of more than a thousand times as slow."""
    units.require_from("the tolerance, in percent,", 100 * tolerance, 0, 100_000)
