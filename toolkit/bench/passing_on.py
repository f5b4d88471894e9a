"""The names of artifacts in a record: whoever gets the record learns nothing of the folders of its maker."""

import re
from collections.abc import Iterable
from pathlib import Path

from toolkit.files import relative_to_here
from toolkit.manifest import MANIFEST

# What a failure is called after its artifact, where that is measured with several numbers of threads or images.
_CONFIGURATION = re.compile(r" \(\d+ threads, batch \d+\)$")


def names(paths: Iterable[Path]) -> dict[Path, Path]:
    """Return what artifacts are called: by their path from the current folder if they lie below it.

    Of others the folder is left out, but for the name of the last one where that is an export. Different folders stay
    different.
    """
    folders: dict[Path, Path] = {}
    called = {}
    for path in paths:
        if path.parent not in folders:
            folders[path.parent] = _untaken(folder(path.parent), set(folders.values()))
        called[path] = folders[path.parent] / path.name
    return called


def path_of_failure(key: str) -> Path:
    """Return the path of the artifact that a failure of a record is of."""
    return Path(_CONFIGURATION.sub("", key))


def folder(path: Path) -> Path:
    """Return what a folder of artifacts is called: its path from here, its name if it is an export, or nothing."""
    return relative_to_here(path) or (Path(path.resolve().name) if (path / MANIFEST).is_file() else Path())


def _untaken(called: Path, taken: set[Path]) -> Path:
    """Return what a folder is called, with a number if another one is called so."""
    number, untaken = 1, called
    while untaken in taken:
        number += 1
        untaken = called.with_name(f"{called.name}-{number}") if called.name else Path(f"folder-{number}")
    return untaken
