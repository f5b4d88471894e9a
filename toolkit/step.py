"""How far a verb is."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Step:
    """How far a verb is: ``done`` of ``total``. text: at what, in words; about: the object that tells more."""

    done: int
    total: int
    text: str
    about: object = None


OnStep = Callable[[Step], None]


def ignore(step: Step) -> None:
    """Do without."""
