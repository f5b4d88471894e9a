"""What a search is asked for: budgets, and how every network is trained."""

from dataclasses import dataclass
from typing import Any, TypedDict

from toolkit.search.budgets import Budgets
from toolkit.search.space import Choice
from toolkit.training.recipe import Recipe


class TrainingOptions(TypedDict, total=False):
    """The fields of an ``SearchRequest`` besides the budgets, as options of a call."""

    epochs: int
    seed: int
    augment: str | None
    warmup: int
    average: float | None
    label_smoothing: float
    teacher: str | None
    qat: bool


@dataclass(frozen=True)
class SearchRequest:
    """What a search is for; it goes on only for the same. All but the budgets is of every training, as in a Recipe."""

    budgets: Budgets
    epochs: int = 10
    seed: int = 0
    augment: str | None = None
    warmup: int = 0
    average: float | None = None
    label_smoothing: float = 0.0
    teacher: str | None = None
    qat: bool = False

    def recipe(self, choice: Choice) -> Recipe:
        """Return how a candidate is trained; UsageError if that makes no sense."""
        return Recipe(
            model=choice.model,
            learning_rate=choice.learning_rate,
            epochs=self.epochs,
            seed=self.seed,
            augment=self.augment,
            warmup=self.warmup,
            average=self.average,
            label_smoothing=self.label_smoothing,
            teacher=self.teacher,
            qat=self.qat,
            schedule="cosine",
            monitor="val_accuracy",
        )

    def difference(self, other: "SearchRequest") -> str:
        """Say in words what this was that the other asks for otherwise."""
        if self.budgets != other.budgets:
            return str(self.budgets)
        return ", ".join(_said(name, value) for name, value in vars(self).items() if value != getattr(other, name))


def _said(name: str, value: Any) -> str:
    """Return a field as it was given."""
    flag = f"--{name.replace('_', '-')}"
    if value is None or value is False:
        return f"without {flag}"
    return flag if value is True else f"{flag} {value}"
