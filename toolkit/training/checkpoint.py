"""What a run keeps on the disk while it goes on: the best model, and the state that ``--resume`` starts from."""

import json
import zipfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from toolkit.errors import RunError
from toolkit.files import atomic

BEST = "best.keras"
STATE = "state.npz"
_PROGRESS = "progress"


@dataclass(frozen=True)
class Epoch:
    """One line of a run's history. ``val_*`` are NaN without validation rows; ``seconds`` includes validation."""

    epoch: int
    loss: float
    accuracy: float
    val_loss: float
    val_accuracy: float
    seconds: float


@dataclass
class Progress:
    """How far a run is: the finished epochs, and the best of them by the monitored value.

    gradients: for each epoch from 0, before training, its number and each layer's gradient norm; empty where the run
    does not measure them.
    """

    history: list[Epoch] = field(default_factory=list)
    gradients: list[dict[str, float]] = field(default_factory=list)
    best_epoch: int = 0
    best_value: float = float("nan")

    def to_json(self) -> dict[str, Any]:
        """Return the document that the state file holds."""
        return {
            "history": [vars(epoch) for epoch in self.history],
            "gradients": self.gradients,
            "best_epoch": self.best_epoch,
            "best_value": self.best_value,
        }

    @classmethod
    def from_json(cls, document: dict[str, Any]) -> "Progress":
        """Read what ``to_json`` wrote."""
        history = [Epoch(**epoch) for epoch in document["history"]]
        return cls(history, document.get("gradients", []), document["best_epoch"], document["best_value"])


def save_best(model: Any, path: Path) -> None:
    """Write the model without optimizer state, atomically."""
    with atomic(path) as temporary:
        model.save(temporary)


def save_state(path: Path, *, model: Any, optimizer: Any, progress: Progress) -> None:
    """Write all that the next epoch depends on, atomically: every variable of model and optimizer, and the progress."""
    arrays = {f"model_{i}": variable.numpy() for i, variable in enumerate(model.variables)}
    arrays |= {f"optimizer_{i}": variable.numpy() for i, variable in enumerate(optimizer.variables)}
    arrays[_PROGRESS] = np.frombuffer(json.dumps(progress.to_json()).encode(), np.uint8)
    with atomic(path) as temporary:
        np.savez(temporary, **arrays)


def load_progress(path: Path) -> Progress:
    """Read the progress of a state file; RunError where it is missing or damaged."""
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            return Progress.from_json(json.loads(arrays[_PROGRESS].tobytes()))
    except FileNotFoundError as error:
        raise RunError(f"{path.parent}: no epoch was finished there, nothing can be resumed; start it anew") from error
    except (OSError, EOFError, ValueError, KeyError, zipfile.BadZipFile) as error:
        raise RunError(f"{path}: cannot be read as the state of a run: {error}") from error


def load_state(path: Path, *, model: Any, optimizer: Any) -> Progress:
    """Put the saved variables into ``model`` and ``optimizer``, and return the progress."""
    progress = load_progress(path)
    with np.load(path, allow_pickle=False) as arrays:
        for owner, variables in (("model", model.variables), ("optimizer", optimizer.variables)):
            for i, variable in enumerate(variables):
                variable.assign(arrays[f"{owner}_{i}"])
    return progress
