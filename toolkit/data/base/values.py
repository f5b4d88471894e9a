"""Arrays of any numbers to values, float32, which a model takes as they are: tables, sensors, sound."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from toolkit.data.base.pixels import chunks
from toolkit.errors import DataError
from toolkit.files.arrays import Expected, read_npy
from toolkit.files.memory import check_memory
from toolkit.golden import VALUE_RANKS

_NUMBERS = ("float32", "float64", "float16", "int64", "int32", "int16", "int8", "uint8", "uint16", "uint32", "bool")


class Asked(NamedTuple):
    """Rows that a model is asked about, (N, …), what to call each, and what is to be said of their file."""

    names: list[str]
    values: NDArray[np.float32]
    notes: tuple[str, ...] = ()


def as_values(
    parts: Mapping[str, NDArray[Any]], *, origin: str
) -> tuple[dict[str, NDArray[np.float32]], tuple[str, ...]]:
    """Return the rows of each part as (N, …) float32, and nothing to be said of them.

    Raises DataError, naming ``origin``, for what is not of numbers, and for NaN and infinite values with their place.
    """
    size = sum(values.size for values in parts.values()) * np.dtype(np.float32).itemsize
    check_memory(size, what=f"{origin}: its values", error=DataError)
    return {part: _checked(values, part=part, origin=origin) for part, values in parts.items()}, ()


def _checked(given: NDArray[Any], *, part: str, origin: str) -> NDArray[np.float32]:
    if given.dtype.kind not in "biuf" or given.ndim not in VALUE_RANKS or 0 in given.shape:
        raise DataError(
            f"{origin}: {part} rows are {given.dtype} {given.shape}; allowed: numbers, (N, columns), "
            "(N, steps, channels), and up to five sizes in all"
        )
    with np.errstate(over="ignore"):  # what float32 cannot hold becomes infinite, and is refused
        values: NDArray[np.float32] = given.astype(np.float32, copy=False)
    start = 0
    for rows in chunks(values):
        if not np.isfinite(rows).all():
            row, *place = np.argwhere(~np.isfinite(rows))[0].tolist()
            where = f"row {start + row}, column {', '.join(map(str, place))}"
            raise DataError(
                f"{origin}: the {part} value in {where} (from 0) is {given[start + row][tuple(place)]}, which is no "
                "number that a model can take; fill it in or leave the row out"
            )
        start += len(rows)
    return values


def read_rows(path: Path, shape: Sequence[int | None]) -> Asked:
    """Return the rows of a .npy file, (N, *shape), and what to call each; DataError for anything else."""
    given = read_npy(path, Expected(_NUMBERS, (None, *shape)), what="rows of values", error=DataError)
    values = _checked(given, part="given", origin=str(path))
    return Asked([f"{path}:{row}" for row in range(len(values))], values)
