"""A folder with one folder of images per class: in parts (train, val, test), or split by a fixed seed."""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from toolkit import images, photos
from toolkit.data.base import Dataset, make_dataset, stratified_split
from toolkit.errors import DataError
from toolkit.reading import AS_THEY_ARE, Reading
from toolkit.text import well_formed

SUMMARY = "a folder with one folder of images per class (or train/, val/ and test/ with such folders)"
READS = ("image_size", "resize", "skip_unreadable")
SPLIT_SEED = 0
TEST_SHARE = 0.2
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


@dataclass(frozen=True)
class _Listing:
    """The image files of a part with their labels, (N,)."""

    files: list[Path]
    labels: NDArray[np.int64]

    def rows(self, kept: NDArray[np.int64]) -> "_Listing":
        return _Listing([self.files[row] for row in kept], self.labels[kept])


def recognises(path: Path) -> bool:
    """Say whether ``path`` is a folder that holds folders."""
    return path.is_dir() and bool(_subfolders(path))


def load(path: Path, reading: Reading = AS_THEY_ARE) -> Dataset:
    """Read every image under ``path``, also in folders within the classes.

    They are brought to the size that was asked for, that a model takes, or that most of them have, and stay grey where
    all of them are grey.
    """
    root = _unwrapped(path)
    parts = _parts(root)
    names = tuple(_subfolders(parts.get("training", root)))
    notes = _Notes(path)
    if parts:
        _check_classes(path, parts, names)
        listings = {part: _list(folder, names, notes) for part, folder in parts.items()}
        _check_filled(path, listings["training"], names)
        notes.left_out(root, {*_subfolders(root)} - {folder.name for folder in parts.values()})
        if "test" not in listings:
            listings["test"] = listings.pop("validation")
            notes.add(f"there is no test/; the images of {parts['validation'].name}/ are the test images")
    else:
        everything = _list(root, names, notes)
        _check_filled(path, everything, names)
        train, test = stratified_split(everything.labels, test_share=TEST_SHARE, seed=SPLIT_SEED)
        listings = {"training": everything.rows(train), "test": everything.rows(test)}
    if not listings["test"].files:
        raise DataError(f"{path}: too few images to test with; a class needs two, or a folder test/ is needed")
    return _read(path, listings, names, notes, reading)


def _read(
    path: Path, listings: dict[str, _Listing], names: tuple[str, ...], notes: "_Notes", reading: Reading
) -> Dataset:
    found = photos.read_all({part: listing.files for part, listing in listings.items()}, reading, what=str(path))
    arrays = {part: (found.pixels[part], listings[part].labels[found.rows[part]]) for part in listings}
    for note in found.notes:
        notes.add(note)
    return make_dataset(
        (*arrays["training"], *arrays["test"]),
        validation=arrays.get("validation"),
        name=path.resolve().name,
        origin=str(path),
        class_names=tuple(map(well_formed, names)),
        reading=found.reading,
        notes=notes.all(),
    )


class _Notes:
    """What was left out or done on the way, said once for the whole folder."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._others: list[str] = []
        self._said: list[str] = []

    def add(self, text: str) -> None:
        self._said.append(f"{self._path}: {text}")

    def other_file(self, file: Path) -> None:
        self._others.append(str(file.relative_to(self._path)))

    def left_out(self, root: Path, folders: set[str]) -> None:
        if folders:
            self.add(f"folders beside the parts were left out ({len(folders)}): {_some(sorted(folders))}")

    def all(self) -> tuple[str, ...]:
        if self._others:
            self.add(f"files that are no images were left out ({len(self._others):,}): {_some(sorted(self._others))}")
        return tuple(self._said)


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:NAMED]) + (", …" if len(names) > NAMED else "")


def _unwrapped(path: Path) -> Path:
    """Return the folder that holds the classes or the parts: ``path``, or the only folder in it, and so on."""
    for _ in range(WRAPPERS):
        inner = _subfolders(path)
        if len(inner) != 1 or not _subfolders(path / inner[0]) or any(_images(path / inner[0])):
            break
        path = path / inner[0]
    return path


def _images(folder: Path) -> Iterator[Path]:
    """Yield the image files that lie in a folder itself."""
    return (file for file in folder.iterdir() if file.suffix.lower() in images.SUFFIXES)


def _parts(root: Path) -> dict[str, Path]:
    """Return the folders of the parts, by part; none if the folders of ``root`` are classes."""
    found: dict[str, Path] = {}
    for folder in _subfolders(root):
        for part, names in PART_NAMES.items():
            if folder.lower() in names:
                if part in found:
                    raise DataError(f"{root}: {found[part].name} and {folder} both hold {part} images; keep one")
                found[part] = root / folder
    if "training" in found and len(found) > 1:
        return {part: found[part] for part in PART_NAMES if part in found}
    if found and "training" not in found and len(found) == len(_subfolders(root)):
        there = ", ".join(folder.name for folder in found.values())
        raise DataError(f"{root}: there is {there}, but no train folder beside it")
    return {}


def _check_classes(path: Path, parts: dict[str, Path], names: tuple[str, ...]) -> None:
    """Raise DataError if a part has a class that training lacks."""
    for folder in parts.values():
        if strange := sorted({*_subfolders(folder)} - {*names}):
            raise DataError(
                f"{path}: {folder.name}/ holds classes that {parts['training'].name}/ lacks: {_some(strange)}; "
                f"allowed: {', '.join(names)}"
            )


def _check_filled(path: Path, listing: _Listing, names: tuple[str, ...]) -> None:
    """Raise DataError if a class has no image to learn from."""
    if empty := [names[label] for label in np.setdiff1d(np.arange(len(names)), listing.labels)]:
        raise DataError(f"{path}: no image in the class folder {_some(empty)} ({', '.join(images.SUFFIXES)})")
    if len(names) < 2:
        raise DataError(f"{path}: one class alone, {names[0]}; a classifier needs a folder for each of two or more")


def _subfolders(path: Path) -> list[str]:
    return sorted(
        entry.name
        for entry in path.iterdir()
        if entry.is_dir() and not entry.name.startswith(".") and entry.name not in NO_CLASSES
    )


def _list(folder: Path, names: tuple[str, ...], notes: _Notes) -> _Listing:
    """Return the image files of all classes in one fixed, shuffled order (a validation split takes the last rows)."""
    found = []
    for label, name in enumerate(names):
        for file in _files(folder / name):
            if file.suffix.lower() in images.SUFFIXES:
                found.append((file, label))
            else:
                notes.other_file(file)
    for file in folder.iterdir():
        if file.is_file() and not file.name.startswith("."):
            notes.other_file(file)
    order = np.random.default_rng(SPLIT_SEED).permutation(len(found))
    return _Listing([found[row][0] for row in order], np.array([found[row][1] for row in order], np.int64))


def _files(folder: Path) -> list[Path]:
    """Return the files of a class, those of the folders in it too, without hidden ones."""
    found = []
    for here, inner, files in os.walk(folder):
        inner[:] = sorted(name for name in inner if not name.startswith(".") and name not in NO_CLASSES)
        found += [Path(here, name) for name in files if not name.startswith(".")]
    return sorted(found)
