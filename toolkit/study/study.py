"""A study: a grid, the data it is for, and what has come of each of its runs; begun, gone on with, and read again."""

from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypedDict, cast

from toolkit import host, locks, models, reading, runs
from toolkit.data.base import Dataset
from toolkit.data.base.parts import divide
from toolkit.errors import RunError, UsageError
from toolkit.files import documents, require_file, sha256, write_json
from toolkit.overlap import OverlapEntry
from toolkit.runtimes.keras.loading import allowed
from toolkit.study import outcome, trials
from toolkit.study.executors.base import Event, Executor, Work
from toolkit.study.grid import Grid
from toolkit.study.outcome import TrialOutcome
from toolkit.study.trials import TrialState
from toolkit.training.folders import IMPORTS, MODEL_SHA256, imported
from toolkit.training.recipe import Recipe

DOCUMENT = "study.json"
LOG = "workers.log"


class JobsEntry(TypedDict):
    """How many runs were trained at a time."""

    jobs: list[int]


class StudyDataEntry(runs.TrainedOnEntry):
    """The data of a study, and the sizes of its parts."""

    classes: int
    training_rows: int
    validation_rows: int
    test_rows: int
    overlap: list[OverlapEntry]


class MachineEntry(TypedDict):
    """What a report says of the machine; the rest of its description is kept."""

    cpu: str
    cores: int


class StudyEntry(JobsEntry):
    """What ``study.json`` must have; of its runs their own folders tell."""

    grid: Grid
    data: StudyDataEntry
    host: MachineEntry


@dataclass(frozen=True)
class Study:
    """A grid with the outcome of each run. data: name, origin, digests, classes, and the sizes of its parts.

    jobs: how many runs were trained at a time, one entry for each number that was used. overlap: what test, validation
    and training images share. interrupted: whether Ctrl-C ended it.
    """

    folder: Path
    grid: Grid
    data: StudyDataEntry
    host: MachineEntry
    jobs: tuple[int, ...]
    outcomes: tuple[TrialOutcome, ...]
    interrupted: bool = False

    @property
    def overlap(self) -> list[OverlapEntry]:
        """Images that parts of the data share: with them a test accuracy is none."""
        return self.data["overlap"]

    def best(self) -> list[TrialOutcome]:
        """Return the run of each model whose weights have the highest validation accuracy.

        Not the lowest validation loss: losses of two kinds cannot be compared.
        """
        finished = [one for one in self.outcomes if one.state == TrialState.FINISHED]
        own = [[one for one in finished if one.trial.recipe.model == model] for model in self.grid.model]
        return [max(runs, key=lambda one: one.kept_validation_accuracy) for runs in own if runs]

    @property
    def due(self) -> tuple[trials.Trial, ...]:
        """The runs that have something left to train."""
        return tuple(one.trial for one in self.outcomes if not one.ended)

    def count(self, state: TrialState) -> int:
        """Return how many runs are in a state."""
        return sum(one.state == state for one in self.outcomes)

    @property
    def summary(self) -> str:
        """How far it is, in a line."""
        counts = {state: self.count(state) for state in (TrialState.FINISHED, TrialState.DIVERGED, TrialState.CRASHED)}
        finished = counts.pop(TrialState.FINISHED)
        others = "".join(f", {count} {state}" for state, count in counts.items() if count)
        return f"{finished} of {len(self.outcomes)} runs finished{others}"

    def to_json(self) -> dict[str, Any]:
        """Return the document of ``study.json``."""
        return {
            "schema": 1,
            "command": "study",
            "folder": str(self.folder),
            "grid": documents.to_tree(self.grid),
            "data": self.data,
            "host": self.host,
            "jobs": list(self.jobs),
            "runs": [one.to_json() for one in self.outcomes],
        }


def folder_of(name: str) -> Path:
    """Return the folder of the study, the search or the compression of that name; UsageError for what is no name."""
    if Path(name).name != name or name in ("", ".", ".."):
        raise UsageError(f"'{name}' is no name; allowed: one without a slash, the folder is {runs.RUNS}/NAME")
    return runs.RUNS / name


def begin(grid: Grid, dataset: Dataset, folder: Path, *, jobs: int, allow_overlap: bool = False) -> Study:
    """Return a study with what there is of its runs already.

    Raises UsageError if a run has more epochs than the grid, or if the file of a model of the user's own is missing or
    has changed, DataError if training, validation and test images overlap and that is not allowed.
    """
    recipe = grid.recipes()[0]  # another seed may draw other rows, not more of them
    about = describe(dataset, recipe, allow_overlap=allow_overlap)
    outcomes = tuple(outcome.read(trial) for trial in trials.grid_trials(grid, dataset.digests, folder))
    for one in outcomes:
        _require_own_file(one.trial)
    used = set(runs.read_json(folder / DOCUMENT, JobsEntry)["jobs"]) if (folder / DOCUMENT).is_file() else set()
    if not all(one.ended for one in outcomes):
        used.add(jobs)
    return Study(folder, grid, about, this_machine(), tuple(sorted(used)), outcomes)


def _require_own_file(trial: trials.Trial) -> None:
    """Raise UsageError if a file of the user's own is missing, or not the one that a run began with.

    Those are that of its model, and those that models may run.
    """
    config = trial.folder / runs.CONFIG
    began = runs.read_config(trial.folder) if config.is_file() else None
    for file in models.own_files(trial.recipe.model):
        require_file(file, error=UsageError)
        if began is not None and began.get(MODEL_SHA256) != sha256(file):
            raise UsageError(f"{trial.folder}: was trained with another {file.name}; choose another --name")
    if began is not None and began.get(IMPORTS, {}) != imported():
        names = ", ".join(began.get(IMPORTS, {})) or "none"
        raise UsageError(
            f"{trial.folder}: was trained with other Python files ({names}); give the same by --import, or choose "
            "another --name"
        )


def this_machine() -> MachineEntry:
    """Return what a report says of this machine."""
    return cast("MachineEntry", host.describe().to_json())


def describe(dataset: Dataset, recipe: Recipe, *, allow_overlap: bool) -> StudyDataEntry:
    """Return what is said of the data that a recipe's runs are trained on.

    Raises DataError if training, validation and test images overlap and that is not allowed.
    """
    parts = divide(dataset, share=recipe.validation_split, seed=recipe.seed)
    shared = parts.shared_images(allowed=allow_overlap)
    return {
        "name": dataset.name,
        "origin": dataset.origin,
        "digests": dataset.digests,
        "reading": dataset.reading.to_json(),
        "classes": dataset.classes,
        "training_rows": len(parts.training_rows),
        "validation_rows": len(parts.validation_rows),
        "test_rows": len(dataset.test),
        "overlap": [one.to_json() for one in shared],
    }


def about_data(data: StudyDataEntry) -> str:
    """Return the sentence of a page on the data: the sizes of the parts, and the digest of the test rows."""
    rows = {"train": data["training_rows"], "validate": data["validation_rows"], "test": data["test_rows"]}
    parts = ", ".join(f"{count:,} rows to {verb}" for verb, count in rows.items())
    return f"Data: {data['name']}, {parts} (sha256 of the test rows: {data['digests']['test_images']})."


def work_on(data: StudyDataEntry, document: Path, device: str) -> Work:
    """Return what the runs on such data are told, what models may run here with it.

    RunError if the document that has the data is damaged.
    """
    read_as = reading.from_json(data.get("reading", {}), document, error=RunError)
    # An overlap that is not allowed never gets here.
    overlaps, code = bool(data["overlap"]), allowed()
    files = tuple(str(file.absolute()) for file in code.files)
    return Work(runs.data_choice(data), device, overlaps, read_as, imports=files, unsafe_lambda=code.unsafe_lambda)


def conduct(
    study: Study, executor: Executor, *, device: str = "auto", on_event: Callable[[Event], None] = lambda event: None
) -> Study:
    """Carry out the runs that are due, and return the study with their outcomes. Ctrl-C ends it as a KeyboardInterrupt.

    Whenever it ends, also by a kill, all finished epochs of all runs are on the disk, and the next call goes on there.
    """
    work = work_on(study.data, study.folder / DOCUMENT, device)
    with locks.alone(study.folder, "study", otherwise="choose another --name"):
        locks.remove_dead_locks(study.folder, "*/")  # a run that has ended is not gone on with
        write_json(study.folder / DOCUMENT, study.to_json())
        if study.due:
            with closing(executor(study.due, work)) as events:
                for event in events:
                    on_event(event)
        study = replace(study, outcomes=tuple(outcome.read(one.trial) for one in study.outcomes))
        write_json(study.folder / DOCUMENT, study.to_json())
    return study


def read(folder: Path) -> Study:
    """Return the study of a folder as it stands; RunError if there is none."""
    path = folder / DOCUMENT
    if not path.is_file():
        raise RunError(f"{folder}: no study is there, it has no {DOCUMENT}; 'toolkit study' makes one")
    document = runs.read_json(path, StudyEntry)
    if "test_images" not in document["data"]["digests"]:  # which a report names
        raise RunError(f"{path}: its data lack the digest of the test images")
    outcomes = tuple(
        outcome.read(trial) for trial in trials.grid_trials(document["grid"], document["data"]["digests"], folder)
    )
    return Study(folder, document["grid"], document["data"], document["host"], tuple(document["jobs"]), outcomes)
