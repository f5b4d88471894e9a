"""A folder with one folder of images per class: under ``train`` and ``test``, or split by a fixed seed."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from toolkit import images
from toolkit.data.base import Dataset, make_dataset, stratified_split
from toolkit.errors import DataError
from toolkit.files.memory import check_memory
from toolkit.text import well_formed

SUMMARY = "a folder with one folder of images per class (or train/ and test/ with such folders)"
SPLIT_SEED = 0
TEST_SHARE = 0.2


def recognises(path: Path) -> bool:
    """Say whether ``path`` is a folder that holds folders."""
    return path.is_dir() and bool(_subfolders(path))


def load(path: Path) -> Dataset:
    """Read every image under ``path``; all must have one size. Grey images stay grey, else all become RGB."""
    if (path / "train").is_dir() and (path / "test").is_dir():
        names = tuple(_subfolders(path / "train"))
        if tuple(_subfolders(path / "test")) != names:
            raise DataError(f"{path}: train and test do not hold folders of the same classes")
        train_files, train_labels = _list(path / "train", names)
        test_files, test_labels = _list(path / "test", names)
    else:
        names = tuple(_subfolders(path))
        files, labels = _list(path, names)
        train, test = stratified_split(labels, test_share=TEST_SHARE, seed=SPLIT_SEED)
        train_files, train_labels = [files[row] for row in train], labels[train]
        test_files, test_labels = [files[row] for row in test], labels[test]
    if not train_files or not test_files:
        raise DataError(f"{path}: too few images to train and to test with ({len(train_files)} + {len(test_files)})")
    channels = 1 if all(images.is_grey(file) for file in train_files + test_files) else 3
    arrays = (_read_all(train_files, channels), train_labels, _read_all(test_files, channels), test_labels)
    return make_dataset(arrays, name=path.name, origin=str(path), class_names=tuple(map(well_formed, names)))


def _subfolders(path: Path) -> list[str]:
    return sorted(entry.name for entry in path.iterdir() if entry.is_dir() and not entry.name.startswith("."))


def _list(path: Path, names: tuple[str, ...]) -> tuple[list[Path], NDArray[np.int64]]:
    """Return the image files of all classes in one fixed, shuffled order (a validation split takes the last rows)."""
    found = [
        (file, label)
        for label, name in enumerate(names)
        for file in sorted((path / name).iterdir())
        if file.suffix.lower() in images.SUFFIXES
    ]
    empty = [name for label, name in enumerate(names) if not any(found_label == label for _, found_label in found)]
    if empty:
        raise DataError(f"{path}: no image in the class folder {', '.join(empty)} ({', '.join(images.SUFFIXES)})")
    order = np.random.default_rng(SPLIT_SEED).permutation(len(found))
    return [found[row][0] for row in order], np.array([found[row][1] for row in order], np.int64)


def _read_all(files: list[Path], channels: int) -> NDArray[np.uint8]:
    first = images.read(files[0], channels=channels)
    check_memory(first.nbytes * len(files), what=f"{len(files)} images of {first.shape}", error=DataError)
    pixels = np.empty((len(files), *first.shape), np.uint8)
    for row, file in enumerate(files):
        image = images.read(file, channels=channels)
        if image.shape != first.shape:
            raise DataError(
                f"{file}: {image.shape[1]}×{image.shape[0]} pixels, but {files[0]} has "
                f"{first.shape[1]}×{first.shape[0]}; scale all images to one size first"
            )
        pixels[row] = image
    return pixels
