"""A .npz file with x_train, y_train, x_test and y_test, the layout of keras.datasets, or arrays of other names."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from toolkit.convention import Layout, layout_of
from toolkit.data.base import Dataset, make_dataset
from toolkit.data.base.pixels import as_pixels, may_be_pixels
from toolkit.data.base.values import as_values
from toolkit.errors import DataError
from toolkit.files.arrays import opened_npz
from toolkit.reading import AS_THEY_ARE, IMAGES, KIND, TEST_KEYS, TRAINING_KEYS, VALIDATION_KEYS, VALUES, Reading

SUMMARY = "a .npz file with x_train and y_train (rows and labels), and x_test, y_test, x_val, y_val if you have them"
READS = ("keys",)


def recognises(path: Path) -> bool:
    """Say whether ``path`` is a .npz file."""
    return path.suffix == ".npz" and path.is_file()


def load(path: Path, reading: Reading = AS_THEY_ARE) -> Dataset:
    """Read the arrays that a data set is made of; others of the file are left where they are.

    Without test arrays the validation arrays are the test part, or else a fifth of every class, by a fixed seed.
    """
    every = (*TRAINING_KEYS, *TEST_KEYS, *VALIDATION_KEYS)
    reading.require_keys((*every, KIND), what=str(path))
    keys = reading.keys or {}
    named = {key: keys.get(key, key) for key in every}
    with opened_npz(path, what="a .npz file", error=DataError) as arrays:
        there = {key for key, name in named.items() if name in arrays.names}
        asked = there | keys.keys()
        # None may be called otherwise: nothing else is there, or the user has said what is what.
        has_test = bool(asked & {*TEST_KEYS}) or (len(there) < len(arrays.names) and "x_train" not in keys)
        pairs = [
            TRAINING_KEYS,
            *([TEST_KEYS] if has_test else []),
            *([VALIDATION_KEYS] if asked & {*VALIDATION_KEYS} else []),
        ]
        missing = [named[key] for pair in pairs for key in pair if key not in there]
        if missing:
            raise DataError(
                f"{path}: {', '.join(missing)} missing; it holds {', '.join(arrays.names[:20]) or 'nothing'}; "
                "--keys x_train=NAME,y_train=NAME,x_test=NAME,y_test=NAME says what they are called; "
                "without the last two a fifth of every class becomes the test set"
            )
        training, *others = [(arrays.read(named[rows]), arrays.read(named[labels])) for rows, labels in pairs]
    kind, note = (keys[KIND], None) if KIND in keys else _kind(training[0], path)
    notes = [] if note is None else [note]
    if not has_test:
        instead = f"{named['x_val']} is" if others else "a fifth of every class is"
        notes.append(f"{path}: there are no test arrays; {instead} the test set")
    return make_dataset(
        (*training, *others[0]) if others else training,
        validation=others[1] if others[1:] else None,
        name=path.stem,
        origin=str(path),
        reading=reading,
        notes=tuple(notes),
        conversion=_as_pixels if kind == IMAGES else as_values,
    )


def _kind(rows: NDArray[Any], path: Path) -> tuple[str, str | None]:
    """Return what the training rows are, and what is to be said of that.

    (N, columns) are values. (N, a, b), and (N, a, b, c) of one or three channels, are images unless their numbers
    cannot be pixels: floats (N, a, b) that are in no range of pixels, and numbers below 0. All other arrays are values.
    """
    if rows.ndim == 2:
        return VALUES, None
    taken = f"{path}: {rows.dtype} {rows.shape} are taken for"
    if _is_channels_first(rows) and rows.dtype.kind in "uf" and may_be_pixels(rows):
        return IMAGES, f"{taken} images with their channels first; --keys {KIND}={VALUES} says otherwise"
    if rows.ndim != 3 and rows.shape[3:] not in ((1,), (3,)):
        return VALUES, f"{taken} values; images have a height, a width, and 1 or 3 channels"
    if rows.dtype.kind == "f" and rows.ndim == 3 and rows.size:
        kind = IMAGES if may_be_pixels(rows) else VALUES
    elif rows.dtype.kind in "if" and rows.size and rows.min() < 0:
        kind = VALUES
    else:
        return IMAGES, None
    what = {IMAGES: "grey images", VALUES: "windows, (N, steps, channels)" if rows.ndim == 3 else "values, not pixels"}
    other = IMAGES if kind == VALUES else VALUES
    return kind, f"{taken} {what[kind]}; --keys {KIND}={other} says otherwise"


def _is_channels_first(rows: NDArray[Any]) -> bool:
    return rows.ndim == 4 and bool(rows.size) and layout_of(rows.shape) == Layout.NCHW


def _as_pixels(parts: Mapping[str, NDArray[Any]], *, origin: str) -> tuple[dict[str, NDArray[Any]], tuple[str, ...]]:
    """Return what ``as_pixels`` does, also of images with their channels first.

    DataError for what can be no pixels says how numbers are taken as they are, too.
    """
    moved = {part: np.moveaxis(rows, 1, -1) if _is_channels_first(rows) else rows for part, rows in parts.items()}
    try:
        return as_pixels(moved, origin=origin)
    except DataError as error:
        raise DataError(f"{error}; --keys {KIND}={VALUES} takes numbers as they are") from error
