"""Data sets: which there are, and one of them as arrays."""

from os import PathLike, fspath
from typing import TYPE_CHECKING

from toolkit.errors import warn

if TYPE_CHECKING:
    from toolkit.data import ListedSource
    from toolkit.data.base import Dataset
    from toolkit.reading import Reading


def list_data() -> "tuple[ListedSource, ...]":
    """Return every data source, those that are asked for by name first; ``.place`` is None if it is not here."""
    from toolkit import data

    return data.listed()


def load_data(data: str | PathLike[str], *, fetch: bool = True, reading: "Reading | None" = None) -> "Dataset":
    """Load a data set, checked: by its digests if they are published, by a look at its pixels if not.

    data: by name (``auto``, ``mnist``, ``fashion-mnist``, ``sample``) or path. fetch: download one that is asked for by
    name and is not on this machine. reading: how files are read.

    ``.train`` and ``.test`` have ``.images``, (N, H, W, C) uint8, and ``.labels``, (N,) int64, which number
    ``.class_names``; ``.notes`` are sentences on what was changed or is conspicuous, each also a warning. Raises
    DataUnavailableError for what is not here and cannot or shall not be fetched, DataError for what is damaged or of
    the wrong shape.
    """
    from toolkit.data import load

    return load(fspath(data), warn=warn, reading=reading, fetch=fetch)
