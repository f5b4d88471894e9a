"""Run folders: where they are, what they hold, and how one is found."""

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any, NotRequired, TypedDict, TypeVar

from toolkit import data
from toolkit.errors import RunError, UsageError
from toolkit.files import documents, remove_partials, write_json, write_text
from toolkit.training.checkpoint import BEST, STATE, Progress, load_progress
from toolkit.training.recipe import Recipe

T = TypeVar("T")

RUNS = Path("runs")
CONFIG = "config.json"
METRICS = "metrics.json"


class TrainedOnEntry(TypedDict):
    """The data that a run is trained on."""

    name: str
    origin: str
    digests: dict[str, str]


class StartedEntry(TypedDict):
    """When a run was started, as ISO 8601 writes it, and with which versions."""

    started: str
    versions: NotRequired[dict[str, str]]


class ConfigEntry(StartedEntry):
    """What ``config.json`` must have."""

    recipe: dict[str, Any]
    data: TrainedOnEntry


def read_json(path: Path, kind: type[T]) -> T:
    """Read one of a run's documents as ``kind``; RunError where it is damaged."""
    return documents.read(path, kind, what="the document of a run", error=RunError)


def read_config(folder: Path) -> ConfigEntry:
    """Read the configuration of a run; RunError where the folder is no run."""
    path = folder / CONFIG
    if not path.is_file():
        raise RunError(f"{folder}: not a run folder, it has no {CONFIG}; known runs: {known()}")
    return read_json(path, ConfigEntry)


def prepare(folder: Path, config: dict[str, Any], *, resume: bool) -> None:
    """Make the folder of a new run, or check that ``config`` goes on with the run that is there."""
    if resume:
        before = read_config(folder)
        same_recipe = {**before["recipe"], "epochs": 0} == {**config["recipe"], "epochs": 0}
        if not same_recipe or before["data"]["digests"] != config["data"]["digests"]:
            raise RunError(f"{folder}: was started with another recipe or other data; only --epochs may change")
        done = len(load_progress(folder / STATE).history)
        if config["recipe"]["epochs"] < done:
            raise RunError(f"{folder}: has {done} epochs already, {config['recipe']['epochs']} were asked for")
        config = {**read_json(folder / CONFIG, dict[str, Any]), "recipe": config["recipe"]}
    elif (folder / STATE).exists():
        raise RunError(f"{folder}: a run of that name exists; choose another --name, or go on with it by --resume")
    folder.mkdir(parents=True, exist_ok=True)
    remove_partials(folder.parent, "*/")  # also of runs that are never gone on with
    write_json(folder / CONFIG, config)


def begin(options: Mapping[str, Any], data_asked: str | None, name: str | None) -> tuple[Recipe, str, Path]:
    """Return (recipe, choice of data, folder) of a new run. options: fields of its recipe."""
    recipe = Recipe(**options)
    chosen = name or f"{recipe.model}-{datetime.now():%Y%m%d-%H%M%S}"
    if Path(chosen).name != chosen or chosen in (".", ".."):
        raise UsageError(f"'{chosen}' cannot name a run; a name has no slash, its folder is {RUNS}/NAME")
    return recipe, data_asked or data.AUTO, RUNS / chosen


def go_on(options: Mapping[str, Any], data_asked: str | None, name: str | None) -> tuple[Recipe, str, Path]:
    """Return the same of the run of that name, or of the newest; ``options`` must fit what it was started with."""
    if name:
        folder = find(name)
    else:
        found = newest(options.get("model"), having=STATE)
        if not found:
            raise RunError("no run has a finished epoch to go on from; start one with 'toolkit train'")
        folder = found[0]
    config = read_config(folder)
    stored = recipe_of(config, folder)
    wanted = replace(stored, **options)
    if replace(wanted, epochs=stored.epochs) != stored:
        changed = [key for key in sorted(options) if getattr(wanted, key) != getattr(stored, key)]
        raise UsageError(f"{folder} was started with another {', '.join(changed)}; only --epochs may change")
    return wanted, data_asked or data_choice(config["data"]), folder


def write_tables(folder: Path, progress: Progress) -> None:
    """Write ``history.csv``, and ``gradients.csv`` where gradients were measured."""
    _write_csv(folder / "history.csv", [vars(epoch) for epoch in progress.history])
    if progress.gradients:
        _write_csv(folder / "gradients.csv", progress.gradients)


def recipe_of(config: ConfigEntry, folder: Path) -> Recipe:
    """Return the recipe of a run; RunError where it makes none."""
    return documents.convert(config["recipe"], Recipe, folder / CONFIG, what="the recipe of a run", error=RunError)


def data_choice(trained_on: TrainedOnEntry) -> str:
    """Return what ``toolkit.data.load`` takes to load the data that a run was trained on."""
    name = trained_on["name"]
    return name if name in data.named_sources() else trained_on["origin"]


def find(name: str) -> Path:
    """Return the folder of a run by its name or its path."""
    for folder in (RUNS / name, Path(name)):
        if (folder / CONFIG).is_file():
            return folder
    raise RunError(f"no run is called '{name}'; known runs: {known()}")


def newest(model: str | None = None, *, having: str = BEST) -> list[Path]:
    """Return the runs of ``model`` (of any) that have a file of that name, the newest first."""
    found = []
    for config in RUNS.glob(f"*/{CONFIG}"):
        if (config.parent / having).is_file():
            document = read_config(config.parent)
            if model in (None, document["recipe"].get("model")):
                found.append((document["started"], config.parent))
    return [folder for _, folder in sorted(found, reverse=True)]


def known() -> str:
    """Return the names of the runs that there are, for a message."""
    return ", ".join(sorted(config.parent.name for config in RUNS.glob(f"*/{CONFIG}"))) or "none"


def _write_csv(path: Path, rows: Sequence[Mapping[str, float]]) -> None:
    text = io.StringIO(newline="")
    table = csv.DictWriter(text, fieldnames=list(rows[0]), lineterminator="\n")
    table.writeheader()
    table.writerows(rows)
    write_text(path, text.getvalue())
