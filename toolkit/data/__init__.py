"""Data sets: one module a source. A named source is located or fetched, a path source recognises what a path holds."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from toolkit import registry
from toolkit.errors import DataError, DataUnavailableError
from toolkit.files import require_file
from toolkit.reading import AS_THEY_ARE, Reading

if TYPE_CHECKING:
    from toolkit.data.base import Dataset
    from toolkit.data.base.values import Asked

AUTO = "auto"
# What `auto` takes, in this order.
PREFERRED, FALLBACK = "mnist", "sample"


@dataclass(frozen=True)
class ListedSource:
    """A data source. is_named: whether it is asked for by its name, and not by a path.

    place: where its data are on this machine; None if they are not, or if their path is given.
    """

    name: str
    is_named: bool
    summary: str
    place: Path | None

    def to_json(self) -> dict[str, Any]:
        """Return the result of ``toolkit data --json``."""
        return {
            "source": self.name,
            "given_by": "name" if self.is_named else "path",
            "summary": self.summary,
            "path": str(self.place) if self.place else None,
        }


def listed() -> tuple[ListedSource, ...]:
    """Return every source with its summary and place, those that are asked for by name first."""
    named = named_sources()
    every = [
        ListedSource(name, name in named, module.SUMMARY, module.locate() if name in named else None)
        for name, module in sources().items()
    ]
    return tuple(sorted(every, key=lambda source: not source.is_named))


def sources() -> dict[str, ModuleType]:
    """Return every source by name."""
    return {name: registry.member(__name__, name, kind="data source") for name in registry.names(__name__)}


def named_sources() -> dict[str, ModuleType]:
    """Return the sources that are asked for by name; the others are recognised by a path."""
    return {name: module for name, module in sources().items() if hasattr(module, "locate")}


def load(
    data: str,
    *,
    warn: Callable[[str], None],
    reading: Reading | None = None,
    fetch: bool = True,
) -> "Dataset":
    """Return the data set that ``data`` asks for: ``auto``, the name of a source, or a path; warn of what it has.

    ``auto`` is MNIST if it can be had, else the sample, with a warning; a name or a path never falls back. reading:
    how files are read; None stands for as they are. fetch: whether what is not on this machine is downloaded. Raises
    DataError for what is missing, damaged or not what its name says, and for a reading that has no meaning there.
    """
    reading = reading or AS_THEY_ARE
    if data == AUTO:
        try:
            return load(PREFERRED, warn=warn, reading=reading, fetch=fetch)
        except DataUnavailableError as error:
            warn(
                f"{error}. Going on with '{FALLBACK}', {sources()[FALLBACK].SUMMARY}: "
                "expect about 97 % accuracy from the CNN and 93 % from the MLP"
            )
            return load(FALLBACK, warn=warn, reading=reading)
    known = named_sources()
    if data in known:
        module = known[data]
        reading.require_only((), what=f"'{data}'")
        place = module.locate()
        if place is None and not fetch:
            raise DataUnavailableError(f"{data} is not on this machine; add --fetch to download it")
        path = place or module.fetch()
        return _checked(module.load(path), data, path)
    dataset = _load_path(Path(data), reading)
    dataset = replace(dataset, notes=(*dataset.notes, *_look(dataset)))
    for note in dataset.notes:
        warn(note)
    return dataset


def _look(dataset: "Dataset") -> list[str]:
    """Warn of what is conspicuous about data that are not published ones."""
    from toolkit.data.base.look import look

    return [] if getattr(sources().get(dataset.name), "DIGESTS", None) else look(dataset)


def reads(data: str) -> tuple[str, ...]:
    """Return the fields of a Reading that have a meaning for what ``data`` asks for."""
    if data == AUTO or data in named_sources():
        return ()
    _, module = _recognised(Path(data))
    return tuple(module.READS)


def rows_of(path: Path, reading: Reading, shape: Sequence[int | None]) -> "Asked":
    """Return the rows of a file that a model is asked about, (N, *shape) float32, and what to call each.

    A .npy file has rows as they are; reading: how the files of other kinds that the model was trained on were read.
    """
    if path.suffix == ".npy":
        from toolkit.data.base.values import read_rows

        return read_rows(path, shape)
    module = sources().get(reading.files)
    if module is None or path.suffix.lower() != module.SUFFIX:
        allowed = ".npy" if module is None else f"{module.SUFFIX} or .npy"
        raise DataError(f"{path}: allowed are rows {tuple(shape)} in a file {allowed}")
    rows: Asked = module.rows_of(path, reading)
    return rows


def _load_path(path: Path, reading: Reading) -> "Dataset":
    path, module = _recognised(path)
    reading.require_only(module.READS, what=f"{path} ({module.SUMMARY})")
    dataset = module.load(path, reading)
    return _checked(dataset, PREFERRED, path) if path.name == sources()[PREFERRED].FILE else _named_by_digest(dataset)


def _recognised(path: Path) -> tuple[Path, ModuleType]:
    """Return where a data set is below a path, and what reads it; DataError if nothing does."""
    if not path.exists():
        raise DataError(
            f"no data source and no path is called '{path}'; named sources: {AUTO}, {', '.join(named_sources())}"
        )
    mnist = sources()[PREFERRED]
    if path.is_dir() and (path / mnist.FILE).is_file():
        path = path / mnist.FILE
    if not path.is_dir():
        require_file(path, error=DataError)
    for module in sources().values():
        if hasattr(module, "recognises") and module.recognises(path):
            return path, module
    allowed = "; ".join(module.SUMMARY for module in sources().values() if hasattr(module, "recognises"))
    raise DataError(f"{path}: no data set was recognised there; allowed: {allowed}")


def _checked(dataset: "Dataset", name: str, path: Path) -> "Dataset":
    """Compare the digests of a named data set with the published ones."""
    module = sources()[name]
    for part, digest in getattr(module, "DIGESTS", {}).items():
        if dataset.digests[part] != digest:
            raise DataError(
                f"{path}: {part.replace('_', ' ')} are not those of {name} (SHA-256 {dataset.digests[part]}, "
                f"published {digest}); remove or replace the file"
            )
    return _named(dataset, name)


def _named_by_digest(dataset: "Dataset") -> "Dataset":
    """Call a data set by the name of the published one whose digests it has."""
    for name, module in named_sources().items():
        if getattr(module, "DIGESTS", None) == dataset.digests:
            return _named(dataset, name)
    taken = dataset.name in sources()  # the name of a source stands for its published digests
    return replace(dataset, name=f"own-{dataset.name}") if taken else dataset


def _named(dataset: "Dataset", name: str) -> "Dataset":
    class_names = getattr(sources()[name], "CLASS_NAMES", dataset.class_names)
    return replace(dataset, name=name, class_names=class_names)
