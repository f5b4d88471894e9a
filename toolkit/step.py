"""How far a verb is."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Step:
    """How far a verb is: ``done`` of ``total``. text: at what, in words; about: the object that tells more.

    is_news: whether the text is worth a line of its own, beside a bar that shows how far it is.
    """

    done: int
    total: int
    text: str
    about: object = None
    is_news: bool = False


OnStep = Callable[[Step], None]


def ignore(step: Step) -> None:
    """Ignore the step."""
