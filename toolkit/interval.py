"""A figure with its uncertainty."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Interval:
    """A figure with its interval, of 95 % unless told."""

    value: float
    low: float
    high: float
