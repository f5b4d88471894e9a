"""The folders of trainings: begun or gone on with, and their tables."""

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from toolkit import data, models, runs
from toolkit.errors import RunError, UsageError
from toolkit.files import documents, remove_partials, require_file, sha256, write_json, write_text
from toolkit.runs import CONFIG, RUNS, ConfigEntry, read_config
from toolkit.runtimes.keras.loading import allowed
from toolkit.training import distillation
from toolkit.training.checkpoint import STATE, TrainingProgress, load_progress
from toolkit.training.recipe import Recipe

# Of the user's own file that built the model, in CONFIG.
MODEL_SHA256: Final = "model_sha256"
# Where the teacher is, a Keras file or the folder of a run, and the digest of its Keras file.
TEACHER: Final = "teacher"
TEACHER_SHA256: Final = "teacher_sha256"
# The digests of the Python files that the models were allowed to run, by name.
IMPORTS: Final = "imports_sha256"


def imported() -> dict[str, str]:
    """Return the digests of the Python files that models may run, by name."""
    return {file.name: sha256(file) for file in allowed().files}


def require_new(folder: Path) -> None:
    """Raise RunError if a run is in the folder."""
    if (folder / STATE).exists():
        raise RunError(f"{folder}: a run of that name exists; choose another --name, or go on with it by --resume")


def prepare(folder: Path, config: dict[str, Any], *, resume: bool) -> None:
    """Write the configuration of a run. With ``resume`` it must fit the run that is there, whose start is kept."""
    if resume:
        before = read_config(folder)
        same_recipe = {**before["recipe"], "epochs": 0} == {**config["recipe"], "epochs": 0}
        same_data = before["data"]["digests"] == config["data"]["digests"]
        if not same_recipe or not same_data or before.get("validation") not in (None, config["validation"]):
            raise RunError(f"{folder}: was started with another recipe or other data; only --epochs may change")
        ending = "cosine schedule" if config["recipe"].get("schedule") == "cosine" else ""
        ending = "quantization-aware training" if config["recipe"].get("qat") else ending
        if ending and (last := before["recipe"].get("epochs")) != config["recipe"]["epochs"]:
            raise RunError(f"{folder}: its {ending} ends with epoch {last}; go on without --epochs")
        names = ", ".join(before.get(IMPORTS, {})) or "none"
        others = {
            MODEL_SHA256: f"started with another {config['recipe']['model']}; its weights do not fit this one",
            TEACHER_SHA256: f"taught by {config['recipe'].get('teacher')}, which had other weights then; start it anew",
            IMPORTS: f"started with other Python files ({names}); give the same by --import",
        }
        for key, how in others.items():
            if before.get(key) != config.get(key):
                raise RunError(f"{folder}: was {how}")
        if before.get("convention", config["convention"]) != config["convention"]:
            raise RunError(f"{folder}: its model took its pixels in another range then; start it anew")
        done = len(load_progress(folder / STATE).history)
        if config["recipe"]["epochs"] < done:
            raise RunError(f"{folder}: has {done} epochs already, {config['recipe']['epochs']} were asked for")
        config = {**before, "recipe": config["recipe"]}
    folder.mkdir(parents=True, exist_ok=True)
    remove_partials(folder.parent, "*/")  # also of runs that are never gone on with
    write_json(folder / CONFIG, config)


def begin(options: Mapping[str, Any], data_asked: str | None, name: str | None) -> tuple[Recipe, str, Path]:
    """Return (recipe, choice of data, folder) of a new run. options: fields of its recipe."""
    recipe = Recipe(**options)
    for file in models.own_files(recipe.model):
        require_file(file, error=UsageError)
    if recipe.teacher is not None:
        distillation.find(recipe.teacher)
    chosen = name or f"{recipe.model_name}-{datetime.now():%Y%m%d-%H%M%S}"
    if Path(chosen).name != chosen or chosen in (".", ".."):
        raise UsageError(f"'{chosen}' cannot name a run; a name has no slash, its folder is {RUNS}/NAME")
    return recipe, data_asked or data.AUTO, RUNS / chosen


def go_on(options: Mapping[str, Any], data_asked: str | None, name: str | None) -> tuple[Recipe, str, Path]:
    """Return the same of the run of that name, or of the newest; ``options`` must fit what it was started with."""
    if name:
        folder = runs.find(name)
    else:
        asked = options.get("model")
        resumable = runs.newest(asked and models.check(asked), having=STATE)
        if not resumable:
            raise RunError("no run has a finished epoch to go on from; start one with 'toolkit train'")
        folder = resumable[0]
    config = read_config(folder)
    stored = recipe_of(config, folder)
    if models.own_files(stored.model) and "model" not in options:  # a file that is not named is not run
        raise UsageError(f"{folder} was started with {stored.model}; give that file by --model again")
    wanted = replace(stored, **_with_teacher(options, stored, folder))
    before, now = stored.to_json(), wanted.to_json()
    if changed := [key for key in sorted(options) if key != "epochs" and now.get(key) != before.get(key)]:
        raise UsageError(f"{folder} was started with another {', '.join(changed)}; only --epochs may change")
    return wanted, data_asked or runs.data_choice(config["data"]), folder


def _with_teacher(options: Mapping[str, Any], stored: Recipe, folder: Path) -> Mapping[str, Any]:
    """Return the options with the teacher of a run where it was when that began; UsageError if it is there no more."""
    if stored.teacher is None or "teacher" in options:
        return options
    place = Path(read_config(folder).get(TEACHER, stored.teacher))
    if place.exists():
        return {**options, "teacher": str(place)}
    if models.weights_files(stored.teacher):
        raise UsageError(f"{folder} was taught by {place}, which is not there; give that file by --teacher")
    return options


def write_tables(folder: Path, progress: TrainingProgress) -> None:
    """Write ``history.csv``, and ``gradients.csv`` where gradients were measured."""
    _write_csv(folder / "history.csv", documents.to_tree(progress.history))
    if progress.gradients:
        _write_csv(folder / "gradients.csv", progress.gradients)


def recipe_of(config: ConfigEntry, folder: Path) -> Recipe:
    """Return the recipe of a run; RunError if it makes none."""
    return documents.convert(config["recipe"], Recipe, folder / CONFIG, what="the recipe of a run", error=RunError)


def _write_csv(path: Path, rows: Sequence[Mapping[str, float]]) -> None:
    text = io.StringIO(newline="")
    names = dict.fromkeys(name for row in rows for name in row)
    table = csv.DictWriter(text, fieldnames=list(names), lineterminator="\n")
    table.writeheader()
    table.writerows(rows)
    write_text(path, text.getvalue())
