"""Runtimes: one module a runtime. Importing them loads no framework; ``open_session`` does."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import TYPE_CHECKING, cast

from toolkit import constraints, extras, registry
from toolkit.errors import UsageError

if TYPE_CHECKING:
    from toolkit.runtimes.base import RuntimeModule, Session


# The runtime of the Keras original.
REFERENCE_RUNTIME = "keras"
_CHOSEN: ContextVar[str | None] = ContextVar("_CHOSEN", default=None)


@contextmanager
def choosing(name: str | None) -> Iterator[None]:
    """Let that runtime run all files of the block, and no other; None leaves it to their suffixes.

    Raises UsageError for an unknown one, MissingExtraError for one that is not installed.
    """
    if name is not None:
        extras.require(get(name).PACKAGE)
    before = _CHOSEN.set(name)
    try:
        yield
    finally:
        _CHOSEN.reset(before)


def get(name: str) -> "RuntimeModule":
    """Return the runtime of that name; UsageError lists the allowed ones."""
    return cast("RuntimeModule", registry.member(__name__, name, kind="runtime"))


def for_file(path: Path) -> str:
    """Return the name of the runtime that runs a file: the chosen one, else the first that has its suffix.

    Raises UsageError if none does.
    """
    if name := _first(_candidates(), path):
        return name
    chosen = _CHOSEN.get()
    who = "no runtime runs" if chosen is None else f"{chosen} does not run"
    such = f"'{path.suffix}' files" if path.suffix else "files without a suffix"
    raise UsageError(f"{path}: {who} {such}; allowed: {', '.join(suffixes())}")


def is_own(path: Path) -> bool:
    """Say whether a file runs on the runtime that runs it by itself: no other is chosen."""
    return _CHOSEN.get() in (None, _first(registry.names(__name__), path))


def takes(path: Path, quantization: str | None) -> bool:
    """Say whether the chosen runtime, or any, runs an artifact. quantization: None where no manifest tells it."""
    if path.suffix not in suffixes():
        return False
    known = get(for_file(path)).QUANTIZATIONS
    return known is None or quantization is None or quantization in known


def suffixes() -> tuple[str, ...]:
    """Return the file suffixes that the chosen runtime runs, or any."""
    return tuple(dict.fromkeys(suffix for name in _candidates() for suffix in get(name).SUFFIXES))


def _first(names: Iterable[str], path: Path) -> str | None:
    """Return the first runtime that has the suffix of a file."""
    return next((name for name in names if path.suffix in get(name).SUFFIXES), None)


def _candidates() -> tuple[str, ...]:
    """Return the runtimes that a file may be run by, that of a suffix first which several have."""
    chosen = _CHOSEN.get()
    return registry.names(__name__) if chosen is None else (chosen,)


def installed(name: str) -> bool:
    """Say whether the package of a runtime is installed, without importing it."""
    return extras.installed(get(name).PACKAGE)


def versions(*chosen: str) -> dict[str, str]:
    """Return the versions of the installed packages of these runtimes, or of all."""
    distributions = (one for name in chosen or registry.names(__name__) for one in get(name).DISTRIBUTIONS)
    return {name: version for name in distributions if (version := constraints.installed(name))}


def open_session(path: Path, *, threads: int = 1, kernels: str | None = None) -> "Session":
    """Load a file on the runtime of its suffix. ``threads`` 0 and no ``kernels`` leave the choice to the runtime."""
    return get(for_file(path)).open_session(path, threads=threads, kernels=kernels)
