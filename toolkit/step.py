"""How far a verb is."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Step:
    """A step that is over: ``done`` of ``total``. text: what it was; about: the object that tells more of it."""

    done: int
    total: int
    text: str
    about: object = None


OnStep = Callable[[Step], None]


def ignore(step: Step) -> None:
    """Do without."""
