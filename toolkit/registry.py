"""A folder is a registry: each module in it is one member, named as its file with hyphens for underscores.

Listing the names imports nothing, so the command line can name what is allowed before anything heavy is loaded.
"""

import importlib
import pkgutil
from importlib.util import find_spec
from types import ModuleType

from toolkit.errors import UsageError

# The module of a registry folder that holds what its members share.
SHARED_MODULE = "base"


def names(package: str) -> tuple[str, ...]:
    """Return the names of the members of ``package`` ("toolkit.models"), sorted."""
    spec = find_spec(package)
    if spec is None or spec.submodule_search_locations is None:
        raise ModuleNotFoundError(package)
    modules = pkgutil.iter_modules(spec.submodule_search_locations)
    return tuple(sorted(m.name.replace("_", "-") for m in modules if m.name != SHARED_MODULE))


def member(package: str, name: str, *, kind: str) -> ModuleType:
    """Import and return one member; an unknown name is a UsageError that lists the allowed ones."""
    allowed = names(package)
    if name not in allowed:
        raise UsageError(f"unknown {kind} '{name}'; allowed: {', '.join(allowed)}")
    return importlib.import_module(f"{package}.{name.replace('-', '_')}")
