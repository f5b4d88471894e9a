"""What a run keeps on the disk while it goes on: the best model, and the state that ``--resume`` starts from."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from math import isfinite, isinf, isnan
from pathlib import Path
from typing import Any

import numpy as np

from toolkit.errors import RunError
from toolkit.files import atomic, documents
from toolkit.files.arrays import Expected, opened_npz
from toolkit.files.documents import LATER

STATE = "state.npz"
_PROGRESS = "progress"
_WHAT = "the state of a run"
# No epoch takes thirty years.
LONGEST_S = 1e9


@dataclass(frozen=True)
class Epoch:
    """One line of a run's history. ``val_*`` are NaN without validation rows; ``seconds`` includes validation.

    learning_rate: None where it is the recipe's in every epoch.
    """

    epoch: int
    loss: float
    accuracy: float
    val_loss: float
    val_accuracy: float
    seconds: float
    learning_rate: float | None = field(default=None, metadata=LATER)

    def __post_init__(self) -> None:
        shares = (self.accuracy, 0 if isnan(self.val_accuracy) else self.val_accuracy)
        are_figures = isfinite(self.loss) and not isinf(self.val_loss) and all(0 <= share <= 1 for share in shares)
        if not are_figures or not 0 <= self.seconds < LONGEST_S:
            raise ValueError(f"has figures that no epoch has: {vars(self)}")

    def __str__(self) -> str:
        """Return its losses, its learning rate if that changes, and its time."""
        rate = "" if self.learning_rate is None else f", learning rate {self.learning_rate:.2g}"
        return f"loss {self.loss:.4f}, val_loss {self.val_loss:.4f}{rate}, {self.seconds:.1f} s"


@dataclass
class TrainingProgress:
    """How far a run is: the finished epochs, and the best of them by the monitored value.

    gradients: for each epoch from 0, before training, its number and each layer's gradient norm; empty if the run
    does not measure them. float_epochs: after how many the network began to round; None as long as it does not, or if
    it does from the start.
    """

    history: list[Epoch] = field(default_factory=list)
    gradients: list[dict[str, float]] = field(default_factory=list)
    best_epoch: int = 0
    best_value: float = float("nan")
    float_epochs: int | None = field(default=None, metadata=LATER)

    def begin_rounding(self) -> None:
        """Note that the network rounds from now on; no epoch of it is the best yet."""
        self.float_epochs = self.best_epoch = len(self.history)
        self.best_value = float("nan")


def save_best(model: Any, path: Path) -> None:
    """Write the model without optimizer state, atomically."""
    with atomic(path) as temporary:
        model.save(temporary)


def save_state(path: Path, *, variables: Mapping[str, Any], progress: TrainingProgress) -> None:
    """Write all that the next epoch depends on, atomically: the variables, each by its name, and the progress."""
    arrays = {name: variable.numpy() for name, variable in variables.items()}
    arrays[_PROGRESS] = np.frombuffer(json.dumps(documents.to_tree(progress)).encode(), np.uint8)
    with atomic(path) as temporary:
        np.savez(temporary, **arrays)


def load_progress(path: Path) -> TrainingProgress:
    """Read the progress of a state file; RunError if it is missing or damaged."""
    if not path.exists():
        raise RunError(f"{path.parent}: no epoch was finished there, nothing can be resumed; start it anew")
    with opened_npz(path, what=_WHAT, error=RunError) as arrays:
        text = arrays.read(_PROGRESS, Expected(("uint8",), (None,))).tobytes()
        tree = documents.parse(text, path, what=_WHAT, error=RunError, finite=False)
        progress = documents.convert(tree, TrainingProgress, path, what=_WHAT, error=RunError)
        if any(one.epoch != number for number, one in enumerate(progress.history, 1)):
            raise ValueError("its epochs are not counted from 1")
        if not 0 <= progress.best_epoch <= len(progress.history):
            raise ValueError(f"its best epoch is {progress.best_epoch} of {len(progress.history)}")
        return progress


def load_variables(path: Path, variables: Mapping[str, Any]) -> None:
    """Put what was saved into the variables of the same names; RunError if it does not fit."""
    with opened_npz(path, what=_WHAT, error=RunError) as arrays:
        expected = {name: Expected((one.dtype,), tuple(one.shape)) for name, one in variables.items()}
        for name, one in expected.items():
            arrays.header(name, one)
        for name, variable in variables.items():
            variable.assign(arrays.read(name, expected[name]))
