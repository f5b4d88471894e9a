"""Data sets: one module a source. A named source is located or fetched, a path source recognises what a path holds."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

from toolkit import registry
from toolkit.errors import DataError, DataUnavailableError

if TYPE_CHECKING:
    from toolkit.data.base import Dataset

AUTO = "auto"
# What `auto` takes, in this order.
PREFERRED, FALLBACK = "mnist", "sample"


def sources() -> dict[str, ModuleType]:
    """Return every source by name."""
    return {name: registry.member(__name__, name, kind="data source") for name in registry.names(__name__)}


def named_sources() -> dict[str, ModuleType]:
    """Return the sources that are asked for by name; the others are recognised by a path."""
    return {name: module for name, module in sources().items() if hasattr(module, "locate")}


def load(data: str, *, warn: Callable[[str], None]) -> "Dataset":
    """Return the data set that ``data`` asks for: ``auto``, the name of a source, or a path.

    ``auto`` is MNIST where it can be had, else the sample, with a warning; a name or a path never falls back. Raises
    DataError for what is missing, damaged or not what its name says.
    """
    if data == AUTO:
        try:
            return load(PREFERRED, warn=warn)
        except DataUnavailableError as error:
            warn(
                f"{error}. Going on with '{FALLBACK}' ({sources()[FALLBACK].SUMMARY}): "
                "expect about 97 % accuracy from the CNN and 93 % from the MLP"
            )
            return load(FALLBACK, warn=warn)
    known = named_sources()
    if data in known:
        module = known[data]
        path = module.locate() or module.fetch()
        return _checked(module.load(path), data, path)
    return _load_path(Path(data))


def _load_path(path: Path) -> "Dataset":
    if not path.exists():
        raise DataError(
            f"no data source and no path is called '{path}'; named sources: {AUTO}, {', '.join(named_sources())}"
        )
    mnist = sources()[PREFERRED]
    if path.is_dir() and (path / mnist.FILE).is_file():
        path = path / mnist.FILE
    for module in sources().values():
        if hasattr(module, "recognises") and module.recognises(path):
            dataset = module.load(path)
            if path.name == mnist.FILE:
                return _checked(dataset, PREFERRED, path)
            return _named_by_digest(dataset)
    allowed = "; ".join(module.SUMMARY for module in sources().values() if hasattr(module, "recognises"))
    raise DataError(f"{path}: no data set was recognised there; allowed: {allowed}")


def _checked(dataset: "Dataset", name: str, path: Path) -> "Dataset":
    """Hold the digests of a named data set against the published ones."""
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
