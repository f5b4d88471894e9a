"""The grid of a study: every combination of the values on its axes, once per seed."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import product
from math import prod
from typing import Any, TypedDict

from toolkit import models, units, words
from toolkit.errors import UsageError
from toolkit.files.documents import LATER
from toolkit.training.recipe import Recipe

# The fields of a recipe that a study compares, in the order in which names and tables have them.
AXES = ("model", "optimizer", "activation", "learning_rate", "loss")

# More runs than that take years.
MOST_RUNS = 10_000


class GridOptions(TypedDict, total=False):
    """The fields of a Grid, as options of a call: one value or several."""

    model: str | Sequence[str]
    optimizer: str | Sequence[str]
    activation: str | Sequence[str]
    learning_rate: float | Sequence[float]
    loss: str | Sequence[str]
    seeds: int
    epochs: int | Sequence[int]
    input_range: str | None


@dataclass(frozen=True, kw_only=True)
class Grid:
    """The values on each axis; the defaults are the full comparison. Seeds are 0 to ``seeds`` - 1.

    epochs: of each run, one number for all models or one for each, in their order. input_range: which values the pixels
    become for the models of the user's own, as of a Recipe.
    """

    model: tuple[str, ...] = ("cnn", "mlp")
    optimizer: tuple[str, ...] = ("adam", "sgd")
    activation: tuple[str, ...] = ("relu", "sigmoid")
    learning_rate: tuple[float, ...] = (0.001, 0.01, 0.1)
    loss: tuple[str, ...] = ("categorical_crossentropy", "mse")
    seeds: int = 1
    epochs: tuple[int, ...] = (100,)
    input_range: str | None = field(default=None, metadata=LATER)

    def __post_init__(self) -> None:
        object.__setattr__(self, "model", tuple(models.check(model) for model in self.model))
        for axis in AXES:
            values = getattr(self, axis)
            told = [models.short(value) if axis == "model" else value for value in values]
            if not values or len(set(told)) < len(told):
                raise UsageError(f"the values of {axis} are {_listed(values)}; name at least one, and each once")
        if 0 in self.learning_rate:
            raise UsageError("a learning rate of 0 stands for a default of each optimizer; a study needs the numbers")
        if self.seeds < 1:
            raise UsageError(f"the number of seeds is {self.seeds}; it must be at least 1")
        if len(self.epochs) not in (1, len(self.model)):
            raise UsageError(
                f"{len(self.epochs)} numbers of epochs are given for {units.count(len(self.model), 'model')}; "
                "give one, or one for each"
            )
        count = prod(len(getattr(self, axis)) for axis in AXES) * self.seeds
        if count > MOST_RUNS:
            raise UsageError(f"the grid has {count:,} runs; allowed: {MOST_RUNS:,}")
        self.recipes()  # which names what is allowed

    def recipes(self) -> tuple[Recipe, ...]:
        """Return the recipe of each run; all of the first seed come before any of the second."""
        return tuple(
            Recipe(
                **dict(zip(AXES, values, strict=True)),
                seed=seed,
                epochs=self.epochs_of(values[0]),
                input_range=self._range_of(values[0]),
            )
            for seed in range(self.seeds)
            for values in product(*(getattr(self, axis) for axis in AXES))
        )

    def epochs_of(self, model: str) -> int:
        """Return the number of epochs of each run of a model."""
        return self.epochs[self.model.index(model) if len(self.epochs) > 1 else 0]

    def _range_of(self, model: str) -> str | None:
        """Return the range of a model's pixels: of the user's own models; without any, all refuse it."""
        takes_it = models.own_files(model) or not any(map(models.own_files, self.model))
        return self.input_range if takes_it else None

    def describe_epochs(self) -> str:
        """Say in words how many epochs a run has."""
        if len(set(self.epochs)) == 1:
            return f"{units.count(self.epochs[0], 'epoch')} each"
        return ", ".join(
            f"{units.count(self.epochs_of(model), 'epoch')} each of the {words.value(model)}" for model in self.model
        )


# What there is one of, whatever is compared.
_SINGLE = ("seeds", "input_range")
# Minutes, not hours: what `--quick` takes for each axis and number that is not given.
QUICK: GridOptions = {"model": ("mlp",), "epochs": (5,)}


def make(options: GridOptions, *, quick: bool = False) -> Grid:
    """Return the grid of the values that are given. quick: of QUICK, where none is."""
    chosen: dict[str, Any] = {**(QUICK if quick else {}), **options}
    chosen |= {name: _several(value) for name, value in chosen.items() if name not in _SINGLE}
    return Grid(**chosen)


def _several(value: Any) -> tuple[Any, ...]:
    return (value,) if isinstance(value, str | float | int) else tuple(value)


def _listed(values: Sequence[object]) -> str:
    return ", ".join(f"'{value}'" for value in values) or "none"
