"""What an export starts from: a run, by its name or folder, or any ``.keras`` file."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from toolkit import registry
from toolkit.data import AUTO
from toolkit.data.base import Dataset, Split
from toolkit.errors import ArtifactError, RunError
from toolkit.training import runs
from toolkit.training.checkpoint import BEST
from toolkit.training.recipe import rows_to_train
from toolkit.training.runs import CONFIG, METRICS


@dataclass(frozen=True)
class Source:
    """A Keras model, with the configuration of the run that made it, where there is one."""

    keras_path: Path
    name: str
    config: dict[str, Any] | None

    @property
    def recipe(self) -> dict[str, Any] | None:
        """The recipe of the run."""
        return self.config["recipe"] if self.config else None

    @property
    def data(self) -> str:
        """What ``toolkit.data.load`` takes to load the data that the run was trained on."""
        return runs.data_choice(self.config) if self.config else AUTO

    @property
    def charts(self) -> tuple[Path, ...]:
        """The training charts of the run."""
        folder = self.keras_path.parent
        return tuple(
            folder / name for name in ("loss.png", "accuracy.png") if self.config and (folder / name).is_file()
        )

    def check_data(self, dataset: Dataset) -> None:
        """Raise RunError where the run was trained on other data."""
        if self.config and self.config["data"]["digests"] != dataset.digests:
            raise RunError(
                f"{self.keras_path.parent}: was trained on '{self.config['data']['name']}' with other digests than "
                f"'{dataset.name}' ({dataset.origin}); give the same data by --data"
            )

    def training_rows(self, dataset: Dataset) -> Split:
        """Return the rows that the weights were learned from, without the validation rows."""
        share = self.recipe["validation_split"] if self.recipe else 0.0
        return dataset.train.rows(slice(0, rows_to_train(len(dataset.train), share)))

    def to_json(self) -> dict[str, Any]:
        """Return what the manifest says of the source."""
        from toolkit.files import sha256

        run = self.keras_path.parent if self.config else None
        metrics = run / METRICS if run else None
        return {
            "run": run.name if run else None,
            "file": self.keras_path.name,
            "sha256": sha256(self.keras_path),
            "metrics": runs.read_json(metrics) if metrics and metrics.is_file() else None,
        }


def resolve(given: str) -> Source:
    """Return the source that a path or a run's name stands for."""
    path = Path(given)
    if path.suffix == ".keras":
        if not path.is_file():
            raise ArtifactError(f"{path}: no such file")
        config = path.parent / CONFIG
        if path.name != BEST or not config.is_file():
            return Source(path, path.stem, None)
        return _from_run(path.parent)
    return _from_run(runs.find(given))


def newest_of_each_model() -> list[Source]:
    """Return the newest run of each model; RunError where there is none."""
    found = [_from_run(folder) for name in registry.names("toolkit.models") for folder in runs.newest(name)[:1]]
    if not found:
        raise RunError(f"no run in {runs.RUNS}/ has a {BEST} yet; 'toolkit train' makes one")
    return found


def _from_run(folder: Path) -> Source:
    config = runs.read_config(folder)
    if not (folder / BEST).is_file():
        raise RunError(f"{folder}: has no {BEST} yet; no epoch was finished there")
    return Source(folder / BEST, config["recipe"]["model"], config)
