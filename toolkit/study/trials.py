"""One of many runs: its folder, named by what decides its weights, and the training that goes on where it was."""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from toolkit import models, units
from toolkit.data.base import Dataset
from toolkit.errors import DataError, DivergedError
from toolkit.files import write_json
from toolkit.study.grid import AXES, Grid
from toolkit.training.checkpoint import STATE, Epoch, load_progress
from toolkit.training.recipe import Recipe

FAILURE = "failure.json"
# Characters of the digest in a folder's name: by chance two of a thousand runs share them once in 8,000 studies.
DIGEST_CHARACTERS = 8


class TrialState(StrEnum):
    """Where a run stands.

    ``UNFINISHED``: with some of its epochs; ``GIVEN_UP``: it was below its floors; ``RUNNING``: only while a study is.
    """

    FINISHED = "finished"
    DIVERGED = "diverged"
    GIVEN_UP = "given up"
    CRASHED = "crashed"
    UNFINISHED = "unfinished"
    WAITING = "waiting"
    RUNNING = "running"


@dataclass(frozen=True)
class Trial:
    """A recipe, the folder of its run, and the data it is for (digests by array).

    floors: the validation accuracy that it must have reached after each epoch, or it is given up; of no epochs where it
    must reach none. opens_test, tries_range: as of ``fit.train``.
    """

    recipe: Recipe
    folder: Path
    data_digests: Mapping[str, str]
    floors: tuple[float, ...] = ()
    opens_test: bool = True
    tries_range: bool = True


class _BelowFloorError(Exception):
    """What ends a training that is given up."""


def grid_trials(grid: Grid, data_digests: Mapping[str, str], folder: Path) -> tuple[Trial, ...]:
    """Return the runs of a grid. A folder is named by its configuration and a digest of recipe and data.

    So a run is found again by what it is, and one of another recipe or of other data never takes its place. The number
    of epochs is no part of the digest: a run goes on for more of them.
    """
    return tuple(Trial(recipe, folder / _name(recipe, data_digests), data_digests) for recipe in grid.recipes())


def perform(
    trial: Trial, dataset: Dataset, *, device: str, allow_overlap: bool, on_epoch: Callable[[Epoch], None]
) -> None:
    """Train a run, or go on from its last finished epoch. What comes of it, also a failure, is in its folder."""
    from toolkit.training.fit import train

    (trial.folder / FAILURE).unlink(missing_ok=True)
    try:
        if dataset.digests != trial.data_digests:
            raise DataError(f"'{dataset.name}' ({dataset.origin}) changed since the study was called")

        def look(epoch: Epoch) -> None:
            on_epoch(epoch)
            _require_floor(trial)

        is_begun = (trial.folder / STATE).is_file()
        if is_begun:  # it may have been killed before its last epoch was looked at
            _require_floor(trial)
        train(
            trial.recipe,
            dataset,
            trial.folder,
            device_choice=device,
            resume=is_begun,
            gradients=True,
            allow_overlap=allow_overlap,
            opens_test=trial.opens_test,
            tries_range=trial.tries_range,
            on_epoch=look,
        )
    except DivergedError as error:
        record_failure(trial, TrialState.DIVERGED, str(error))
    except _BelowFloorError as error:
        record_failure(trial, TrialState.GIVEN_UP, str(error))
    except Exception as error:  # noqa: BLE001 — whatever ends one run, the others go on
        record_failure(trial, TrialState.CRASHED, f"{type(error).__name__}: {error}".partition("\n")[0])


def _require_floor(trial: Trial) -> None:
    """Raise _BelowFloorError if none of the epochs so far, which are on the disk, has reached the floor of the last."""
    if not trial.floors:
        return
    curve = [epoch.val_accuracy for epoch in load_progress(trial.folder / STATE).history]
    best, floor = max(curve), trial.floors[len(curve) - 1]
    if best < floor:
        raise _BelowFloorError(
            f"{units.percent(best)} on the validation rows after epoch {len(curve)}, below {units.percent(floor)}"
        )


def record_failure(trial: Trial, kind: TrialState, message: str) -> None:
    """Note in the run's folder that it diverged, crashed or was given up."""
    write_json(trial.folder / FAILURE, {"schema": 1, "kind": kind, "message": message})


def _name(recipe: Recipe, data_digests: Mapping[str, str]) -> str:
    document = {"recipe": {**recipe.to_json(), "epochs": None}, "data": dict(data_digests)}
    digest = hashlib.sha256(json.dumps(document, sort_keys=True).encode()).hexdigest()
    values = (getattr(recipe, axis) for axis in AXES if axis != "model")
    parts = [
        models.short(recipe.model),
        *(f"{value:g}" if isinstance(value, float) else str(value) for value in values),
    ]
    return "-".join([*parts, f"seed{recipe.seed}", digest[:DIGEST_CHARACTERS]])
