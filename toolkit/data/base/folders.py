"""Files in folders as people have them: a folder per class, perhaps within a folder per part, perhaps wrapped."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from toolkit import images
from toolkit.data.base import SPLIT_SEED, Conversion, Dataset, make_dataset, stratified_split
from toolkit.data.base.values import as_values
from toolkit.errors import DataError
from toolkit.files import require_no_link
from toolkit.reading import Reading
from toolkit.text import well_formed
from toolkit.units import first

# What folders of parts are called, in any case.
PART_NAMES = {
    "training": ("train", "training"),
    "validation": ("val", "valid", "validation"),
    "test": ("test", "testing"),
}
# What archives of macOS carry beside the files.
NO_CLASSES = ("__MACOSX",)
# How many folders may lie around the data.
WRAPPERS = 5
# How many names a message has.
NAMED = 5
# What the files of a class are, beside images: recordings of sensors, and sounds.
CSV, WAV = OTHERS = (".csv", ".wav")


@dataclass(frozen=True)
class Listing:
    """The files of a part with their labels, (N,)."""

    files: list[Path]
    labels: NDArray[np.int64]

    def rows(self, kept: NDArray[np.int64]) -> "Listing":
        """Return some of them."""
        return Listing([self.files[row] for row in kept], self.labels[kept])


class Notes:
    """What was left out or done on the way, said once for the whole folder. kind: what its files are, "images"."""

    def __init__(self, path: Path, kind: str) -> None:
        self._path, self._kind = path, kind
        self._others: list[str] = []
        self._said: list[str] = []

    def add(self, text: str) -> None:
        """Keep a sentence."""
        self._said.append(f"{self._path}: {text}")

    def other_file(self, file: Path) -> None:
        """Count a file of another kind."""
        name = str(file.relative_to(self._path))
        self._others.append(f"{name} (a link to a folder)" if file.is_dir() else name)

    def left_out(self, folders: set[str]) -> None:
        """Say that folders beside the parts were not read."""
        if folders:
            self.add(f"folders beside the parts were left out ({len(folders)}): {first(sorted(folders), NAMED)}")

    @property
    def others(self) -> str:
        """The first files of another kind."""
        return first(sorted(self._others), NAMED)

    def all(self) -> tuple[str, ...]:
        """Return the sentences."""
        if self._others:
            self.add(f"left out, since they are no {self._kind} ({len(self._others):,}): {self.others}")
        return tuple(self._said)


@dataclass(frozen=True)
class Classes:
    """Files by part ("training", "test", perhaps "validation"), the names of their classes, and what is to be said."""

    listings: dict[str, Listing]
    names: tuple[str, ...]
    notes: Notes

    def dataset(
        self,
        path: Path,
        rows: Mapping[str, tuple[NDArray[Any], NDArray[np.int64]]],
        reading: Reading,
        *,
        conversion: Conversion = as_values,
        groups: NDArray[Any] | None = None,
    ) -> Dataset:
        """Return the rows of each part, with their labels, as a data set. groups: as of ``make_dataset``."""
        return make_dataset(
            (*rows["training"], *rows["test"]),
            validation=rows.get("validation"),
            name=path.resolve().name,
            origin=str(path),
            class_names=tuple(map(well_formed, self.names)),
            reading=reading,
            notes=self.notes.all(),
            conversion=conversion,
            groups=groups,
        )


def first_suffix(path: Path) -> str | None:
    """Return the suffix of the first file of a class in the folders in ``path``: of an image, or of OTHERS."""
    for folder in subfolders(path) if path.is_dir() else ():
        for file in _files(path / folder):
            if file.suffix.lower() in (*images.SUFFIXES, *OTHERS):
                return file.suffix.lower()
    return None


def find(path: Path, suffixes: Sequence[str], *, kind: str) -> Classes:
    """Return the files of each class, also those in folders within the classes. kind: what they are: "images".

    Without folders of parts a fifth of the files of every class is the test part, by a fixed seed; without test/, the
    validation part is. Raises DataError for a class without files, for parts with different classes, and for a symbolic
    link to a part, a class or a file, which may lead out of ``path``.
    """
    root = _unwrapped(path, suffixes)
    parts = _parts(root, kind)
    names = tuple(subfolders(parts.get("training", root)))
    notes = Notes(path, kind)
    if parts:
        _check_classes(path, parts, names)
        listings = {part: _list(folder, names, suffixes, notes) for part, folder in parts.items()}
        _check_filled(path, listings["training"], names, suffixes, kind)
        if unsorted := [folder.name for part, folder in parts.items() if not listings[part].files]:
            raise DataError(
                f"{path}: {unsorted[0]}/ has no {kind} in folders of classes; sort them into such folders, or move "
                f"{unsorted[0]}/ out of the data"
            )
        notes.left_out({*subfolders(root)} - {folder.name for folder in parts.values()})
        if "test" not in listings:
            listings["test"] = listings.pop("validation")
            notes.add(f"there is no test/; the {kind} of {parts['validation'].name}/ are the test {kind}")
    else:
        everything = _list(root, names, suffixes, notes)
        if not everything.files:
            there = f"; it holds {notes.others}" if notes.others else ""
            raise DataError(f"{path}: holds no file of a kind that is read ({', '.join((*suffixes, *OTHERS))}){there}")
        _check_filled(path, everything, names, suffixes, kind)
        if alike := _alike(root, names, suffixes):
            notes.add(
                f"the classes {first(names, NAMED)} hold folders of the same names ({first(alike, NAMED)}); if those "
                "are the classes, call the folders around them train and test"
            )
        train, test = stratified_split(everything.labels)
        listings = {"training": everything.rows(train), "test": everything.rows(test)}
    if not listings["test"].files:
        raise DataError(f"{path}: too few {kind} to test with; a class needs two, or a folder test/ is needed")
    return Classes(listings, names, notes)


def subfolders(path: Path) -> list[str]:
    """Return the names of the folders in ``path`` that may be classes or parts."""
    return sorted(
        entry.name
        for entry in path.iterdir()
        if entry.is_dir() and not entry.name.startswith(".") and entry.name not in NO_CLASSES
    )


def _unwrapped(path: Path, suffixes: Sequence[str]) -> Path:
    """Return the folder that holds the classes or the parts: ``path``, or the only folder in it, and so on."""
    for _ in range(WRAPPERS):
        inner = [path / name for name in subfolders(path)]
        if (
            len(inner) != 1
            or not subfolders(inner[0])
            or any(one.suffix.lower() in suffixes for one in inner[0].iterdir())
        ):
            break
        path = inner[0]
        require_no_link(path, error=DataError)
    return path


def _alike(root: Path, names: Sequence[str], suffixes: Sequence[str]) -> list[str]:
    """Return the names of the folders that all classes hold, if they hold no files: classes that may be parts."""
    if any(file.suffix.lower() in suffixes for name in names for file in (root / name).iterdir()):
        return []
    inside = [_unwrapped(root / name, suffixes) for name in names]
    shared = {*subfolders(inside[0])}.intersection(*map(subfolders, inside))
    return sorted(shared) if len(shared) > 1 else []


def _parts(root: Path, kind: str) -> dict[str, Path]:
    """Return the folders of the parts, by part; none if the folders of ``root`` are classes."""
    parts: dict[str, Path] = {}
    for folder in subfolders(root):
        for part, names in PART_NAMES.items():
            if folder.lower() in names:
                if part in parts:
                    raise DataError(f"{root}: {parts[part].name} and {folder} both hold {part} {kind}; keep one")
                parts[part] = root / folder
    if "training" in parts and len(parts) > 1:
        return {part: parts[part] for part in PART_NAMES if part in parts}
    if parts and "training" not in parts and len(parts) == len(subfolders(root)):
        there = ", ".join(folder.name for folder in parts.values())
        raise DataError(f"{root}: there is {there}, but no train folder beside it")
    return {}


def _check_classes(path: Path, parts: dict[str, Path], names: tuple[str, ...]) -> None:
    """Raise DataError if a part has a class that training lacks."""
    for folder in parts.values():
        if strange := sorted({*subfolders(folder)} - {*names}):
            raise DataError(
                f"{path}: {folder.name}/ holds classes that {parts['training'].name}/ lacks: {first(strange, NAMED)}; "
                f"allowed: {', '.join(names)}"
            )


def _check_filled(path: Path, listing: Listing, names: tuple[str, ...], suffixes: Sequence[str], kind: str) -> None:
    """Raise DataError if a class has no file to learn from."""
    if empty := [names[label] for label in np.setdiff1d(np.arange(len(names)), listing.labels)]:
        one = kind.removesuffix("s")
        raise DataError(f"{path}: no {one} in the class folder {first(empty, NAMED)} ({', '.join(suffixes)})")
    if len(names) < 2:
        raise DataError(f"{path}: one class alone, {names[0]}; a classifier needs a folder for each of two or more")


def _list(folder: Path, names: tuple[str, ...], suffixes: Sequence[str], notes: Notes) -> Listing:
    """Return the files of all classes in one fixed, shuffled order (a validation split takes the last rows)."""
    labelled = []
    require_no_link(folder, error=DataError)
    for label, name in enumerate(names):
        require_no_link(folder / name, error=DataError)
        for file in _files(folder / name):
            if file.suffix.lower() in suffixes:
                require_no_link(file, error=DataError)
                labelled.append((file, label))
            else:
                notes.other_file(file)
    for file in folder.iterdir():
        if file.is_file() and not file.name.startswith("."):
            notes.other_file(file)
    order = np.random.default_rng(SPLIT_SEED).permutation(len(labelled))
    return Listing([labelled[row][0] for row in order], np.array([labelled[row][1] for row in order], np.int64))


def _files(folder: Path) -> list[Path]:
    """Return the files of a class, those of the folders in it too, without hidden ones.

    Also links to folders, which are not followed: they may lead back.
    """
    inside = []
    for here, inner, files in os.walk(folder):
        inner[:] = sorted(name for name in inner if not name.startswith(".") and name not in NO_CLASSES)
        links = [name for name in inner if Path(here, name).is_symlink()]
        inside += [Path(here, name) for name in (*files, *links) if not name.startswith(".")]
    return sorted(inside)
