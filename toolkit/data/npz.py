"""A .npz file with x_train, y_train, x_test and y_test, the layout of keras.datasets, or arrays of other names."""

from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from toolkit.data.base import Dataset, make_dataset
from toolkit.data.base.pixels import as_pixels, may_be_pixels
from toolkit.data.base.values import as_values
from toolkit.errors import DataError
from toolkit.files.arrays import opened_npz
from toolkit.reading import AS_THEY_ARE, IMAGES, KIND, REQUIRED_KEYS, VALIDATION_KEYS, VALUES, Reading

SUMMARY = "a .npz file with x_train, y_train, x_test, y_test (rows and labels), and x_val, y_val if you like"
READS = ("keys",)


def recognises(path: Path) -> bool:
    """Say whether ``path`` is a .npz file."""
    return path.suffix == ".npz" and path.is_file()


def load(path: Path, reading: Reading = AS_THEY_ARE) -> Dataset:
    """Read the arrays that a data set is made of; others of the file are left where they are."""
    reading.require_keys((*REQUIRED_KEYS, *VALIDATION_KEYS, KIND), what=str(path))
    keys = reading.keys or {}
    named = {key: keys.get(key, key) for key in (*REQUIRED_KEYS, *VALIDATION_KEYS)}
    with opened_npz(path, what="a .npz file", error=DataError) as arrays:
        there = {key for key, name in named.items() if name in arrays.names}
        validates = (there | keys.keys()) & {*VALIDATION_KEYS}
        wanted = (*REQUIRED_KEYS, *(VALIDATION_KEYS if validates else ()))
        missing = [named[key] for key in wanted if key not in there]
        if missing:
            raise DataError(
                f"{path}: {', '.join(missing)} missing; it holds {', '.join(arrays.names[:20]) or 'nothing'}; "
                "--keys x_train=NAME,y_train=NAME,x_test=NAME,y_test=NAME says what they are called"
            )
        read = {key: arrays.read(named[key]) for key in wanted}
    kind, note = (keys[KIND], None) if KIND in keys else _kind(read["x_train"], path)
    return make_dataset(
        (read["x_train"], read["y_train"], read["x_test"], read["y_test"]),
        validation=(read["x_val"], read["y_val"]) if "x_val" in read else None,
        name=path.stem,
        origin=str(path),
        reading=reading,
        notes=() if note is None else (note,),
        conversion=as_pixels if kind == IMAGES else as_values,
    )


def _kind(rows: NDArray[Any], path: Path) -> tuple[str, str | None]:
    """Return what the training rows are, and what is to be said of that.

    (N, columns) are values. Floats (N, a, b) may be grey images or windows: they are images if they can be pixels.
    """
    if rows.ndim == 2:
        return VALUES, None
    if rows.ndim != 3 or rows.dtype.kind != "f":
        return IMAGES, None
    kind, other = (IMAGES, VALUES) if may_be_pixels(rows) else (VALUES, IMAGES)
    what = "grey images" if kind == IMAGES else "windows, (N, steps, channels)"
    return kind, f"{path}: {rows.dtype} {rows.shape} are taken for {what}; --keys {KIND}={other} says otherwise"
