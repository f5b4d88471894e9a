"""What has come of a run so far, read from its folder."""

from dataclasses import dataclass
from functools import cached_property
from math import isfinite, isnan
from typing import Any, TypedDict

from toolkit import units
from toolkit.entries import Metrics
from toolkit.errors import RunError, UsageError
from toolkit.runs import METRICS, read_json
from toolkit.study.grid import AXES
from toolkit.study.trials import FAILURE, Trial, TrialState
from toolkit.training.checkpoint import STATE, TrainingProgress, load_progress

# What says something about the recipe: a crash says something about the machine, and is tried again.
ENDED = (TrialState.FINISHED, TrialState.DIVERGED, TrialState.GIVEN_UP)


class FailureEntry(TypedDict):
    """The document of a run that failed."""

    kind: str
    message: str


@dataclass(frozen=True)
class TrialOutcome:
    """A run as it stands. message: why it failed.

    metrics: the document of a finished run.
    """

    trial: Trial
    state: TrialState
    progress: TrainingProgress
    metrics: Metrics | None = None
    message: str = ""

    @property
    def configuration(self) -> dict[str, Any]:
        """The run's value on each axis."""
        return {axis: getattr(self.trial.recipe, axis) for axis in AXES}

    @property
    def ended(self) -> bool:
        """Whether nothing is left to train, be it that the run diverged."""
        return self.state in ENDED

    @property
    def test_accuracy(self) -> float | None:
        """On the test images with the best weights; None for a run that is not finished."""
        return self.metrics.test_accuracy if self.metrics else None

    @cached_property
    def best_validation_accuracy(self) -> float:
        """The highest of all epochs; 0 if no epoch was finished."""
        return max((epoch.val_accuracy for epoch in self.progress.history), default=0.0)

    @property
    def kept_validation_accuracy(self) -> float:
        """Of the weights that are kept, those of the best epoch; 0 if no epoch was finished."""
        return self.progress.history[self.progress.best_epoch - 1].val_accuracy if self.progress.history else 0.0

    @property
    def came_to(self) -> str:
        """What has come of it so far, in words."""
        if self.state == TrialState.CRASHED:
            return f"{self.state}: {self.message}"
        return f"{self.state}, {units.percent(self.kept_validation_accuracy)} on the validation rows"

    @property
    def seconds(self) -> float:
        """Time spent in epochs, validation included."""
        return sum(epoch.seconds for epoch in self.progress.history)

    def epochs_until(self, accuracy: float) -> int | None:
        """Return the first epoch whose validation accuracy is at least ``accuracy``; None if there is none."""
        return next((epoch.epoch for epoch in self.progress.history if epoch.val_accuracy >= accuracy), None)

    def seconds_until(self, accuracy: float) -> float | None:
        """Return the training time up to the end of that epoch, in seconds."""
        last = self.epochs_until(accuracy)
        return None if last is None else sum(epoch.seconds for epoch in self.progress.history[:last])

    def to_json(self) -> dict[str, Any]:
        """Return the run as ``toolkit study --json`` has it."""
        history = self.progress.history
        return {
            "run": self.trial.folder.name,
            **self.configuration,
            "seed": self.trial.recipe.seed,
            "state": self.state,
            "message": self.message,
            "epochs_run": len(history),
            "best_epoch": self.progress.best_epoch,
            "best_value": self.progress.best_value if isfinite(self.progress.best_value) else None,
            "best_validation_accuracy": self.best_validation_accuracy if history else None,
            "test_accuracy": self.test_accuracy,
            "seconds": self.seconds,
        }


def read(trial: Trial) -> TrialOutcome:
    """Read how far a run is; UsageError if it has more epochs than are asked for."""
    folder, asked = trial.folder, trial.recipe.epochs
    progress = load_progress(folder / STATE) if (folder / STATE).is_file() else TrainingProgress()
    done = len(progress.history)
    if any(isnan(epoch.val_accuracy) for epoch in progress.history):
        raise RunError(f"{folder / STATE}: has an epoch that was not validated; start the training anew")
    if done > asked:
        raise UsageError(
            f"{folder}: has {done} epochs already, {asked} were asked for; ask for {done} or more, or choose another "
            "--name"
        )
    failure = read_json(folder / FAILURE, FailureEntry) if (folder / FAILURE).is_file() else None
    for state in (TrialState.DIVERGED, TrialState.GIVEN_UP):
        if failure and failure["kind"] == state:
            return TrialOutcome(trial, state, progress, message=failure["message"])
    metrics = read_json(folder / METRICS, Metrics) if done == asked and (folder / METRICS).is_file() else None
    # Metrics of fewer epochs are of a run that was killed after its last epoch, before they were written anew.
    if metrics and metrics.epochs_run == asked:
        return TrialOutcome(trial, TrialState.FINISHED, progress, metrics)
    if failure:
        return TrialOutcome(trial, TrialState.CRASHED, progress, message=failure["message"])
    return TrialOutcome(trial, TrialState.UNFINISHED if progress.history else TrialState.WAITING, progress)
