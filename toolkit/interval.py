"""A figure with its uncertainty."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Interval:
    """A figure with its 95 % interval."""

    value: float
    low: float
    high: float
