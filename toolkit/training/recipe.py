"""The recipe of a training: all that decides its weights, besides the data."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TypedDict

from toolkit import models
from toolkit.errors import UsageError
from toolkit.models import ACTIVATIONS

# Keras' own default learning rates of the two optimizers.
LEARNING_RATES = {"adam": 0.001, "sgd": 0.01}
LOSSES = ("categorical_crossentropy", "mse", "binary_crossentropy")
MONITORS = ("val_loss", "val_accuracy", "loss", "accuracy")
PRECISIONS = ("float32", "mixed")


class RecipeOptions(TypedDict, total=False):
    """The fields of a Recipe besides the model, as options of a call."""

    optimizer: str
    learning_rate: float
    activation: str
    loss: str
    epochs: int
    batch_size: int
    validation_split: float
    monitor: str
    seed: int
    precision: str


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """A checked recipe; UsageError names what is allowed. ``learning_rate`` 0 stands for the optimizer's default.

    model: the name of a member of toolkit/models, or the path of a Python file.
    """

    model: str = "cnn"
    optimizer: str = "adam"
    learning_rate: float = 0.0
    activation: str = "relu"
    loss: str = "categorical_crossentropy"
    epochs: int = 100
    batch_size: int = 64
    validation_split: float = 0.2
    monitor: str = "val_loss"
    seed: int = 0
    precision: str = "float32"

    def __post_init__(self) -> None:
        models.check(self.model)
        allowed = {
            "optimizer": tuple(LEARNING_RATES),
            "activation": ACTIVATIONS,
            "loss": LOSSES,
            "monitor": MONITORS,
            "precision": PRECISIONS,
        }
        for field, choices in allowed.items():
            if getattr(self, field) not in choices:
                raise UsageError(f"unknown {field} '{getattr(self, field)}'; allowed: {', '.join(choices)}")
        if self.learning_rate == 0:
            object.__setattr__(self, "learning_rate", LEARNING_RATES[self.optimizer])
        if not 0 < self.learning_rate < float("inf"):
            raise UsageError(f"the learning rate is {self.learning_rate}; it must be above 0")
        if self.epochs < 1 or self.batch_size < 1 or not 0 <= self.seed < 2**32:
            raise UsageError("epochs and batch size must be at least 1, the seed from 0 to 4294967295")
        if not 0 <= self.validation_split < 1:
            raise UsageError(f"the validation split is {self.validation_split}; it must be from 0 to below 1")
        if self.validation_split == 0 and self.monitor.startswith("val_"):
            raise UsageError(f"without validation rows nothing is known of {self.monitor}; use --monitor loss")

    @property
    def model_name(self) -> str:
        """What the model, its runs and its artifacts are called."""
        return Path(self.model).stem

    @property
    def own_files(self) -> tuple[Path, ...]:
        """The Python file of the model, if it is the user's own; it is run."""
        return models.own_files(self.model)

    @property
    def monitor_sign(self) -> int:
        """1 where a higher monitored value is better, -1 where a lower one is (Keras' mode ``auto``)."""
        return 1 if self.monitor.endswith("accuracy") else -1

    def to_json(self) -> dict[str, Any]:
        """Return the document that ``config.json`` and manifests hold; of a file of the user's, its name alone."""
        return {**asdict(self), "model": Path(self.model).name}
