"""What an export starts from: a run, by its name or folder, an earlier export, a Keras file or a SavedModel."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from toolkit import data, models, runs
from toolkit import manifest as manifests
from toolkit.convention import Convention
from toolkit.data import AUTO
from toolkit.data.base import Dataset
from toolkit.data.base.parts import Parts, divide
from toolkit.entries import Metrics, Origin, RecordedRecipe
from toolkit.errors import RunError, UsageError
from toolkit.export import saved_model
from toolkit.files import FileName, documents, require_file, sha256
from toolkit.manifest import MANIFEST
from toolkit.reading import AS_THEY_ARE, Reading
from toolkit.runs import BEST, CONFIG, METRICS
from toolkit.runtimes.keras import SUFFIXES
from toolkit.runtimes.keras.loading import HDF5_SUFFIXES
from toolkit.text import printable
from toolkit.training.folders import recipe_of
from toolkit.training.phases import FLOAT
from toolkit.worker.keras import TryOut, reading_for

CHARTS = ("loss.png", "accuracy.png")


@dataclass(frozen=True)
class Source:
    """A Keras model, and what is known of its training.

    origin: what the manifest says of where it came from. trained_on: "name" and "digests" of the data, or None. data:
    what ``toolkit.data.load`` takes to load them. is_original: whether it is the Keras original of an export, which is
    copied as it is. convention: what is known of its input. reading: how the data were read. saved_model: the folder
    that the Keras model was frozen from.
    """

    keras_path: Path
    name: str
    origin: Origin
    recipe: RecordedRecipe | None = None
    trained_on: Mapping[str, Any] | None = None
    data: str = AUTO
    is_original: bool = False
    convention: Convention | None = None
    reading: Reading = AS_THEY_ARE
    saved_model: Path | None = None

    @property
    def charts(self) -> tuple[Path, ...]:
        """The training charts beside the model."""
        beside = (self.keras_path.with_name(name) for name in CHARTS)
        return tuple(chart for chart in beside if self.trained_on and chart.is_file() and not chart.is_symlink())

    def check_data(self, dataset: Dataset) -> None:
        """Raise RunError if it was trained on other data."""
        if self.trained_on and self.trained_on["digests"] != dataset.digests:
            raise RunError(
                f"{self.keras_path.parent}: was trained on '{self.trained_on['name']}' with other digests than "
                f"'{dataset.name}' ({dataset.origin}); give the same data by --data"
            )

    def reading_for(
        self,
        choice: str,
        asked: Reading | None = None,
        shape: tuple[int, int, int] | None = None,
        try_out: TryOut | None = None,
    ) -> Reading:
        """Return how data are read for this model, as ``toolkit.worker.keras.reading_for`` does.

        shape: (H, W, C) where it takes any.
        """
        recorded = self.reading if self.trained_on else Reading(model_shape=shape) if shape else None
        return reading_for(choice, asked, recorded, self.keras_path, try_out=try_out)

    def parts(self, dataset: Dataset) -> Parts:
        """Return which rows the weights were learned from, and which validated them."""
        return parts_of(self.recipe, dataset)


def parts_of(recipe: RecordedRecipe | None, dataset: Dataset) -> Parts:
    """Return what a recipe makes of the training images: if none is known, all are learned from."""
    if recipe is None:
        return divide(dataset, share=0.0, seed=0)
    return divide(dataset, share=recipe.validation_split, seed=recipe.seed)


def resolve(given: str) -> Source:
    """Return the source that a path or a run's name stands for."""
    path = Path(given)
    if path.suffix in (*SUFFIXES, *HDF5_SUFFIXES):
        require_file(path)
        if printable(path.stem) != path.stem:
            raise UsageError(f"{path}: rename it, artifacts are named after it and cannot hold all of its characters")
        if path.name == BEST and (path.parent / CONFIG).is_file():
            return _from_run(path.parent)
        return Source(path, path.stem, _origin(path))
    if (path / MANIFEST).is_file():
        return _from_export(path)
    if (path / CONFIG).is_file() or (runs.RUNS / given / CONFIG).is_file():
        return _from_run(runs.find(given))
    if (path / saved_model.FILE).is_file():
        return _from_saved_model(path)
    what = "neither a run nor an export" if path.exists() else "no such file, folder or run"
    raise UsageError(
        f"{given}: {what}; allowed: a run, by name or folder, a folder of an export, a .keras or .h5 file, or "
        f"a SavedModel folder; known runs: {runs.known()}"
    )


def resolve_all(given: Sequence[str]) -> list[Source]:
    """Return the sources of several, or of none the newest run of each model; UsageError for two of one name."""
    chosen = [resolve(one) for one in given] if given else newest_of_each_model()
    names = [source.name for source in chosen]
    if len(set(names)) < len(names):
        raise UsageError(f"several sources are of one name ({', '.join(names)}) and would overwrite each other")
    return chosen


def newest_of_each_model() -> list[Source]:
    """Return the newest run of each model; RunError if there is none."""
    newest: dict[str, Path] = {}
    for folder in runs.newest():
        newest.setdefault(models.name_of(str(runs.read_config(folder)["recipe"].get("model"))), folder)
    if not newest:
        raise RunError(f"no run in {runs.RUNS}/ has a {BEST} yet; 'toolkit train' makes one")
    return [_from_run(newest[model]) for model in sorted(newest)]


def _from_run(folder: Path) -> Source:
    config = runs.read_config(folder)
    path, metrics = folder / BEST, folder / METRICS
    if not path.is_file():
        unfinished = "no epoch was finished there"
        if (folder / FLOAT).is_file():
            unfinished = f"it has learned in float alone; go on with 'toolkit train --resume --name {folder.name}'"
        raise RunError(f"{folder}: has no {BEST} yet; {unfinished}")
    origin = _origin(path, run=folder.name, metrics=runs.read_json(metrics, Metrics) if metrics.is_file() else None)
    recipe, choice = recipe_of(config, folder), runs.data_choice(config["data"])
    recorded = documents.convert(recipe.to_json(), RecordedRecipe, folder / CONFIG, what="a recipe", error=RunError)
    taken = runs.convention_of(folder)
    read_as = runs.reading_of(folder)
    return Source(path, recipe.model_name, origin, recorded, config["data"], choice, convention=taken, reading=read_as)


def _from_export(folder: Path) -> Source:
    """Return the Keras original of an export, with all that its manifest says of the training."""
    manifest = manifests.read(folder)
    manifest.require(manifest.reference)
    trained_on = {"name": manifest.data.name, "digests": manifest.data.digests}
    choice = manifest.data.name if manifest.data.name in data.named_sources() else AUTO
    return Source(
        manifest.reference_path,
        manifest.model,
        manifest.source,
        manifest.recipe,
        trained_on,
        choice,
        is_original=True,
        convention=manifest.convention,
        reading=manifest.data.reading,
    )


def _from_saved_model(folder: Path) -> Source:
    """Return a SavedModel as the Keras model that was frozen from it."""
    name = folder.resolve().name
    if printable(name) != name:
        raise UsageError(f"{folder}: rename it, artifacts are named after it and cannot hold all of its characters")
    origin = Origin(None, FileName(name), saved_model.digest(folder))
    return Source(saved_model.to_keras(folder), name, origin, saved_model=folder)


def _origin(path: Path, *, run: str | None = None, metrics: Metrics | None = None) -> Origin:
    return Origin(None if run is None else FileName(run), FileName(path.name), sha256(path), metrics)
