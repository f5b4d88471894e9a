"""One module a kind of file, each with its TARGETS by name."""

import importlib
import pkgutil

from tests.fuzz.target import Target


def targets() -> dict[str, Target]:
    """Return all targets by name."""
    found: dict[str, Target] = {}
    for module in pkgutil.iter_modules(__path__):
        more = importlib.import_module(f"{__name__}.{module.name}").TARGETS
        assert not found.keys() & more.keys(), "two targets of one name"
        found |= more
    return found
