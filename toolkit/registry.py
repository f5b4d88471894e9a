"""A folder is a registry: each module in it is one member, named as its file with hyphens for underscores.

Packages outside add members by entry points, whose group is ``toolkit.`` and the folder's name (``toolkit.models``,
``toolkit.data``, ``toolkit.formats``, ``toolkit.runtimes``), each the name of a member and its module. Listing the
names imports nothing, so the command line can name what is allowed before anything heavy is loaded.
"""

import importlib
import pkgutil
import sys
from functools import cache
from importlib.util import find_spec, module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

from toolkit.errors import UsageError

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

# The module of a registry folder that holds what its members share.
SHARED_MODULE = "base"
# Where installed packages declare entry points (https://packaging.python.org/specifications/entry-points/), and how a
# group of toolkit's begins there.
DECLARED = ("*.dist-info/entry_points.txt", "*.egg-info/entry_points.txt")
GROUP = b"[toolkit."
# The folders that other packages add members to, and what such a member must have; toolkit's own are looked at by its
# tests.
NEEDED = {
    "models": ("build",),
    "data": ("SUMMARY", "load"),
    "formats": ("SUFFIX", "MADE_FROM", "QUANTIZATIONS"),
    "runtimes": (
        *("SUFFIXES", "PACKAGE", "DISTRIBUTIONS", "QUANTIZATIONS", "KERNELS", "open_session", "trace", "nodes"),
        *("prefixes", "write_probe", "portability", "devices"),
    ),
}
# And what it must have one of.
EITHER = {
    "data": (("locate", "fetch"), ("recognises", "READS")),
    "formats": (("convert",), ("derive",)),
}


def names(package: str) -> tuple[str, ...]:
    """Return the names of the members of ``package`` ("toolkit.models"): its own, then those that others add.

    The first that takes a file gets it, so that nobody's runtime takes over files that toolkit runs by itself.
    """
    return tuple(dict.fromkeys((*_own(package), *sorted(_added(package)))))


def member(package: str, name: str, *, kind: str) -> ModuleType:
    """Import and return one member; UsageError for an unknown name, or an outside package that is at fault."""
    if name in _own(package):
        if name in _added(package):
            raise UsageError(f"{_who(_added(package)[name])} adds a {kind} '{name}', which toolkit has; uninstall it")
        return importlib.import_module(f"{package}.{name.replace('-', '_')}")
    if name not in _added(package):
        raise UsageError(f"unknown {kind} '{name}'; allowed: {', '.join(names(package))}")
    entry = _added(package)[name]
    try:
        module = entry.load()
    except (Exception, SystemExit) as error:
        raise UsageError(f"the {kind} '{name}' of {_who(entry)} cannot be imported: {_reason(error)}") from error
    if not isinstance(module, ModuleType):
        raise UsageError(f"the {kind} '{name}' of {_who(entry)} is '{entry.value}', which is no module")
    if lacking := missing(module, package):
        what = f"the {kind} '{name}' of {_who(entry)} lacks {', '.join(lacking)}"
        raise UsageError(f"{what}; add what is missing, or uninstall the package")
    return module


def missing(module: ModuleType, package: str) -> list[str]:
    """Return what a module lacks to be a member of ``package``."""
    folder = package.rpartition(".")[2]
    lacking = [one for one in NEEDED[folder] if not hasattr(module, one)]
    either = EITHER.get(folder, ())
    if either and not any(all(hasattr(module, one) for one in names) for names in either):
        lacking.append(" or ".join(" with ".join(names) for names in either))
    return lacking


def from_file(path: Path) -> ModuleType:
    """Run a user's own Python file as a module named after it; UsageError if that cannot be.

    What lies beside it can be imported by it, as if Python ran it. A file that was run before is not run again.
    """
    from toolkit.files import require_file

    require_file(path, error=UsageError, missing="no such file; give a Python file")
    known = sys.modules.get(path.stem)
    if known is not None:
        if getattr(known, "__file__", None) == str(path.resolve()):
            return known
        raise UsageError(f"{path}: a module is called '{path.stem}' already; rename the file")
    spec = spec_from_file_location(path.stem, path.resolve())
    if spec is None or spec.loader is None:
        raise UsageError(f"{path}: its name must end in .py")
    sys.modules[path.stem] = module = module_from_spec(spec)
    sys.path.insert(0, str(path.resolve().parent))
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:
        del sys.modules[path.stem]
        raise UsageError(f"{path}: cannot be imported: {_reason(error)}") from error
    finally:
        sys.path.remove(str(path.resolve().parent))
    return module


@cache
def _own(package: str) -> tuple[str, ...]:
    """Return the names of the modules of the folder. It is read once a process: who asks for a runtime asks often."""
    spec = find_spec(package)
    if spec is None or spec.submodule_search_locations is None:
        raise ModuleNotFoundError(package)
    modules = pkgutil.iter_modules(spec.submodule_search_locations)
    return tuple(m.name.replace("_", "-") for m in modules if m.name != SHARED_MODULE)


@cache
def _added(package: str) -> "dict[str, EntryPoint]":
    """Return the members that installed packages add, by name. All packages are read for it, so once a process."""
    folder = package.rpartition(".")[2]
    if folder not in NEEDED or not _any_added():
        return {}
    from importlib.metadata import entry_points

    return {entry.name: entry for entry in entry_points(group=f"toolkit.{folder}")}


@cache
def _any_added() -> bool:
    """Say whether a package declares members: importlib.metadata takes as long as a third of the help to find out."""
    files = (file for place in sys.path for pattern in DECLARED for file in Path(place).glob(pattern))
    return any(GROUP in file.read_bytes() for file in files)


def _who(entry: "EntryPoint") -> str:
    return f"the package '{entry.dist.name}'" if entry.dist else "a package"


def _reason(error: BaseException) -> str:
    """Return an error in one line."""
    return f"{type(error).__name__}: {' '.join(str(error).split())}"
