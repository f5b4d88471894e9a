"""Labels of any kind to class numbers: whole numbers, one-hot rows and texts."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from toolkit import units
from toolkit.errors import DataError
from toolkit.golden import MAX_CLASSES
from toolkit.text import printable

# How many of the classes a message names.
NAMED_CLASSES = 10
# Below this a float of 64 bits is exactly the whole number that it stands for.
EXACT = 2**53


def as_classes(
    parts: Mapping[str, NDArray[Any]], *, origin: str
) -> tuple[dict[str, NDArray[np.int64]], tuple[str, ...], tuple[str, ...]]:
    """Return the labels of each part as class numbers, (N,) int64, the names of the classes, and what is to be said.

    parts: "training" and others, (N,), (N, 1) or one-hot (N, classes), of whole numbers or texts. Other numbers than 0,
    1, … and texts are mapped to 0, 1, … in their order, and name the classes. Raises DataError, naming ``origin``, for
    what is no label, for a class that training lacks, and for less than two classes.
    """
    flat = {part: _flat(labels, part=part, origin=origin) for part, labels in parts.items()}
    values = np.unique(flat["training"])
    if not 2 <= len(values) <= MAX_CLASSES:
        what = f"all training labels are {_name(values[0])}" if len(values) == 1 else f"{len(values):,} classes"
        raise DataError(f"{origin}: {what}; a classifier needs 2 to {MAX_CLASSES:,} classes")
    numbers = {}
    for part, labels in flat.items():
        if labels.dtype.kind != values.dtype.kind:
            raise DataError(f"{origin}: {part} labels are {labels.dtype} and training labels {values.dtype}")
        numbers[part] = np.searchsorted(values, labels).clip(max=len(values) - 1).astype(np.int64)
        strange = labels[values[numbers[part]] != labels]
        if len(strange):
            raise DataError(f"{origin}: a {part} label is {_name(strange[0])}, which no training image has")
    names = tuple(_name(value) for value in values)
    if names == tuple(str(number) for number in range(len(names))):
        return numbers, names, ()
    named = units.first(names, NAMED_CLASSES)
    return numbers, names, (f"{origin}: the labels {named} are classes 0 to {len(names) - 1}",)


def require_all(labels: NDArray[np.int64], names: tuple[str, ...], *, origin: str) -> None:
    """Raise DataError if a class has no training image."""
    counts = np.bincount(labels, minlength=len(names))
    if not counts.all():
        raise DataError(f"{origin}: no training image is of class {names[int(np.argmin(counts))]}")


def _flat(labels: NDArray[Any], *, part: str, origin: str) -> NDArray[Any]:
    """Return labels as (N,) whole numbers or texts."""
    wrong = f"{origin}: {part} labels are {labels.dtype} {labels.shape}"
    if labels.ndim == 2 and labels.shape[1] == 1:
        labels = labels[:, 0]
    if labels.ndim == 2:
        if labels.dtype.kind not in "biuf" or not (np.isin(labels, (0, 1)).all() and (labels.sum(axis=1) == 1).all()):
            raise DataError(f"{wrong}, which are not one-hot; allowed: (N,), (N, 1), or one 1 in each row")
        missing = np.flatnonzero(~labels.any(axis=0))
        if part == "training" and len(missing):
            raise DataError(f"{origin}: no training image has label {missing[0]}")
        columns: NDArray[np.int64] = labels.argmax(axis=1).astype(np.int64)
        return columns
    if labels.dtype.kind == "f" and ((np.abs(labels.astype(np.float64)) < EXACT) & (labels == np.rint(labels))).all():
        labels = labels.astype(np.int64)
    if labels.ndim != 1 or labels.dtype.kind not in "biuUS":
        raise DataError(f"{wrong}; allowed: whole numbers or texts, (N,) or (N, 1), or one-hot rows")
    if labels.dtype.kind == "S":
        texts: NDArray[Any] = np.char.decode(labels, "utf-8", "backslashreplace")
        return texts
    if labels.dtype.kind in "bi":
        return labels.astype(np.int64)
    if labels.dtype.kind == "u" and len(labels) and int(labels.max()) <= np.iinfo(np.int64).max:
        return labels.astype(np.int64)
    return labels


def _name(value: Any) -> str:
    return str(printable(str(value)))
