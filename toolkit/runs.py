"""Run folders: where they are, what they hold, and how one is found."""

from pathlib import Path
from typing import Any, NotRequired, TypedDict, TypeVar

from toolkit import data, locks, reading
from toolkit.convention import Convention
from toolkit.errors import RunError
from toolkit.files import documents, remove_partials
from toolkit.reading import Reading

T = TypeVar("T")

RUNS = Path("runs")
CONFIG = "config.json"
METRICS = "metrics.json"
BEST = "best.keras"
# What training feeds to models that say nothing of it.
FED = Convention()
# How the folder is called that an export works in, within the folder that gets its files.
SCRATCH = ".export-"


class TrainedOnEntry(TypedDict):
    """The data that a run is trained on."""

    name: str
    origin: str
    digests: dict[str, str]
    reading: NotRequired[dict[str, Any]]


class StartedEntry(TypedDict):
    """When a run was started, as ISO 8601 writes it, and with which versions."""

    started: str
    versions: NotRequired[dict[str, str]]


class ConfigEntry(StartedEntry):
    """What ``config.json`` must have.

    model_sha256: of the user's own file that built the model. teacher: where it is, a Keras file or the folder of a
    run. imports_sha256: of the Python files that the models were allowed to run, by name.
    """

    recipe: dict[str, Any]
    data: TrainedOnEntry
    validation: NotRequired[dict[str, Any]]
    arithmetic: NotRequired[dict[str, Any]]
    convention: NotRequired[dict[str, Any]]
    model_sha256: NotRequired[str | None]
    teacher: NotRequired[str]
    teacher_sha256: NotRequired[str]
    imports_sha256: NotRequired[dict[str, str]]


def read_json(path: Path, kind: type[T]) -> T:
    """Read one of a run's documents as ``kind``; RunError if it is damaged."""
    return documents.read(path, kind, what="the document of a run", error=RunError)


def read_config(folder: Path) -> ConfigEntry:
    """Read the configuration of a run; RunError if the folder is no run."""
    path = folder / CONFIG
    if not path.is_file():
        raise RunError(f"{folder}: not a run folder, it has no {CONFIG}; known runs: {known()}")
    return read_json(path, ConfigEntry)


def data_choice(trained_on: TrainedOnEntry) -> str:
    """Return what ``toolkit.data.load`` takes to load the data that a run was trained on."""
    name = trained_on["name"]
    return name if name in data.named_sources() else trained_on["origin"]


def reading_of(folder: Path) -> Reading:
    """Return how the data of a run were read."""
    return reading.from_json(read_config(folder)["data"].get("reading", {}), folder / CONFIG, error=RunError)


def convention_of(folder: Path) -> Convention:
    """Return what the model of a run was fed with; pixels from 0 to 1 if an older run does not say."""
    fed = read_config(folder).get("convention")
    if fed is None:
        return FED
    return documents.convert(fed, Convention, folder / CONFIG, what="what a model takes", error=RunError)


def folder_of(model: Path) -> Path | None:
    """Return the folder of the run whose best weights a file holds; None for another file."""
    return model.parent if model.name == BEST and (model.parent / CONFIG).is_file() else None


def find(name: str) -> Path:
    """Return the folder of a run by its name or its path."""
    for folder in (RUNS / name, Path(name)):
        if (folder / CONFIG).is_file():
            return folder
    raise RunError(f"no run is called '{name}'; known runs: {known()}")


def newest(model: str | None = None, *, having: str = BEST) -> list[Path]:
    """Return the runs of ``model`` (of any) that have a file of that name, the newest first."""
    started = []
    for config in RUNS.glob(f"*/{CONFIG}"):
        if (config.parent / having).is_file():
            document = read_config(config.parent)
            if model is None or Path(model).name == document["recipe"].get("model"):
                started.append((document["started"], config.parent))
    return [folder for _, folder in sorted(started, reverse=True)]


def remove_leftovers() -> None:
    """Remove what commands that were killed left in any run, its exports and benchmarks.

    Not each cleans up behind itself: a new run never comes back to the folder of an old one.
    """
    for below in ("*/", "*/exported/*/", "*/benchmarks/*/"):
        remove_partials(RUNS, below)
        locks.remove_dead_locks(RUNS, below, beside=f"{SCRATCH}*")


def known() -> str:
    """Return the names of the runs that there are, for a message."""
    return ", ".join(sorted(config.parent.name for config in RUNS.glob(f"*/{CONFIG}"))) or "none"
