"""What a search is asked for: budgets, and how every network is trained."""

from dataclasses import dataclass, replace
from typing import Any, TypedDict

from toolkit import units
from toolkit.errors import UsageError
from toolkit.search.budgets import Budgets
from toolkit.search.space import Choice
from toolkit.training.recipe import Recipe

# The most candidates that are trained again: of more than that nothing is chosen any more.
MOST_FINALISTS = 100
# The fields of a recipe that only the last training of a network has: what pays if that is long.
_OF_LAST = ("augment", "warmup", "average", "label_smoothing", "teacher", "qat")


class TrainingOptions(TypedDict, total=False):
    """The fields of a ``SearchRequest`` besides the budgets, as options of a call."""

    epochs: int
    seed: int
    augment: str | None
    warmup: int
    average: float | None
    label_smoothing: float
    teacher: str | None
    qat: bool
    final_epochs: int
    finalists: int


@dataclass(frozen=True)
class SearchRequest:
    """What a search is for; it goes on only for the same. All but the budgets is of trainings, as in a Recipe.

    epochs: of each candidate. final_epochs: of each finalist, which is a candidate that is trained again, from the
    beginning; 0 if none is. finalists: how many there are at most. What is not of all trainings (``augment`` to
    ``qat``) is of the finalists, or, if there are none, of every candidate.
    """

    budgets: Budgets
    epochs: int = 10
    seed: int = 0
    augment: str | None = None
    warmup: int = 0
    average: float | None = None
    label_smoothing: float = 0.0
    teacher: str | None = None
    qat: bool = False
    final_epochs: int = 60
    finalists: int = 3

    def __post_init__(self) -> None:
        units.require_from("--finalists", self.finalists, 1, MOST_FINALISTS)
        if not self.final_epochs and self.finalists != SearchRequest.finalists:
            raise UsageError(
                "--finalists says how many are trained again, --final-epochs 0 that none is; leave one out"
            )

    def recipe(self, choice: Choice, *, is_final: bool = False) -> Recipe:
        """Return how a candidate is trained, or how a finalist is; UsageError if that makes no sense."""
        plain = Recipe(
            model=choice.model,
            learning_rate=choice.learning_rate,
            epochs=self.epochs,
            seed=self.seed,
            schedule="cosine",
            monitor="val_accuracy",
        )
        if self.final_epochs and not is_final:
            return plain
        own: dict[str, Any] = {name: getattr(self, name) for name in _OF_LAST}
        return replace(plain, epochs=self.final_epochs or self.epochs, **own)

    def difference(self, other: "SearchRequest") -> str:
        """Say in words which fields of this request the other has changed."""
        if self.budgets != other.budgets:
            return str(self.budgets)
        return ", ".join(_said(name, value) for name, value in vars(self).items() if value != getattr(other, name))


def _said(name: str, value: Any) -> str:
    """Return a field as it was given."""
    flag = f"--{name.replace('_', '-')}"
    if value is None or value is False:
        return f"without {flag}"
    return flag if value is True else f"{flag} {value}"
