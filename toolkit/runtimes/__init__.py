"""Runtimes: one module a runtime. Importing them loads no framework; ``open_session`` does."""

from pathlib import Path
from typing import TYPE_CHECKING, cast

from toolkit import extras, registry
from toolkit.errors import UsageError

if TYPE_CHECKING:
    from toolkit.runtimes.base import RuntimeModule, Session


# The runtime of the Keras original.
REFERENCE_RUNTIME = "keras"


def get(name: str) -> "RuntimeModule":
    """Return the runtime of that name; UsageError lists the allowed ones."""
    return cast("RuntimeModule", registry.member(__name__, name, kind="runtime"))


def for_file(path: Path) -> str:
    """Return the name of the runtime that runs files of that suffix; UsageError if none does."""
    for name in registry.names(__name__):
        if path.suffix in get(name).SUFFIXES:
            return name
    raise UsageError(f"{path}: no runtime runs '{path.suffix or 'such'}' files; allowed: {', '.join(suffixes())}")


def suffixes() -> tuple[str, ...]:
    """Return the file suffixes that some runtime runs."""
    return tuple(suffix for name in registry.names(__name__) for suffix in get(name).SUFFIXES)


def installed(name: str) -> bool:
    """Say whether the package of a runtime is installed, without importing it."""
    return extras.installed(get(name).PACKAGE)


def package_and_extra(name: str) -> tuple[str, str | None]:
    """Return the package of a runtime, and the extra that installs it; None for a runtime of another package."""
    package = get(name).PACKAGE
    return package.partition(".")[0], extras.EXTRA_OF.get(package)


def versions(*of: str) -> dict[str, str]:
    """Return the versions of the installed packages of these runtimes, or of all."""
    from importlib.metadata import PackageNotFoundError, version

    found = {}
    for name in of or registry.names(__name__):
        for distribution in get(name).DISTRIBUTIONS:
            try:
                found[distribution] = version(distribution)
            except PackageNotFoundError:
                continue
    return found


def open_session(path: Path, *, threads: int = 1, kernels: str | None = None) -> "Session":
    """Load a file on the runtime of its suffix. ``threads`` 0 and no ``kernels`` leave the choice to the runtime."""
    return get(for_file(path)).open_session(path, threads=threads, kernels=kernels)
