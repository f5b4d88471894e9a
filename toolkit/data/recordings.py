"""Sensors: a folder per class with one recording a CSV file, cut into windows that a model sees one at a time."""

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from toolkit import units
from toolkit.data import table
from toolkit.data.base import Dataset, folders
from toolkit.data.base.folders import Listing, Notes
from toolkit.errors import DataError
from toolkit.files.memory import check_memory
from toolkit.reading import AS_THEY_ARE, Reading
from toolkit.text import printable

SUMMARY = "a folder with one folder of recordings per class: .csv files of sensors, a row for each point in time"
READS = ("window", "stride", "columns")
SUFFIX = folders.CSV
KIND = "recordings"
# What columns that say when a row was measured are called; they say nothing about the class.
TIMES = ("t", "time", "timestamp")


def recognises(path: Path) -> bool:
    """Say whether ``path`` is a folder whose folders hold .csv files."""
    return folders.first_suffix(path) == SUFFIX


def load(path: Path, reading: Reading = AS_THEY_ARE) -> Dataset:
    """Read every recording under ``path`` and cut it into windows, (N, window, columns).

    Windows of one recording never fall in two parts. Rows that fill no whole window are left out.
    """
    tree = folders.find(path, (SUFFIX,), kind=KIND)
    columns = reading.columns or _columns(tree.listings["training"].files[0], tree.notes)
    recordings = {
        part: [table.read(file, columns=columns, label=None).values for file in listing.files]
        for part, listing in tree.listings.items()
    }
    window, stride = _sizes(path, [len(one) for several in recordings.values() for one in several], reading)
    short = [
        file
        for part, listing in tree.listings.items()
        for file, values in zip(listing.files, recordings[part], strict=True)
        if len(values) < window
    ]
    if short:
        named = units.first([file.relative_to(path) for file in short], folders.NAMED)
        tree.notes.add(f"recordings shorter than a window of {window} rows were left out ({len(short)}): {named}")
    cut = {part: _cut(path, recordings[part], listing, window, stride) for part, listing in tree.listings.items()}
    rows = {part: (windows, listing_labels) for part, (windows, listing_labels, _) in cut.items()}
    how = replace(reading, window=window, stride=stride, columns=columns)
    return tree.dataset(path, rows, how, groups=cut["training"][2])


def rows_of(path: Path, reading: Reading) -> tuple[list[str], NDArray[np.float32]]:
    """Return the windows of a recording that a model is asked about, and what to call each: file and lines."""
    recording = table.read(path, columns=reading.columns or (), label=None)
    window, stride = reading.window or len(recording.values), reading.stride or 1
    starts = range(0, len(recording.values) - window + 1, stride)
    if not starts:
        raise DataError(f"{path}: has {len(recording.values)} rows; a window of this model has {window}")
    _check_windows(path, len(starts), window, recording.values)
    names = [f"{path}:{recording.lines[start]}-{recording.lines[start + window - 1]}" for start in starts]
    return names, np.stack([recording.values[start : start + window] for start in starts])


def _columns(file: Path, notes: Notes) -> tuple[str, ...]:
    """Return the columns of the first recording that say something; all recordings must have them."""
    names = table.header(file)
    times = [name for name in names if re.split(r"[(\[]", name.lower())[0].strip() in TIMES]
    if times:
        notes.add(f"the column {', '.join(map(printable, times))} says when and was left out")
    columns = tuple(name for name in names if name not in times)
    if not columns:
        raise DataError(f"{file}: has no columns but the time")
    return columns


def _sizes(path: Path, lengths: list[int], reading: Reading) -> tuple[int, int]:
    """Return the rows of a window and from one window to the next."""
    window = reading.window
    if window is None:
        if len(set(lengths)) > 1:
            raise DataError(
                f"{path}: recordings have {min(lengths):,} to {max(lengths):,} rows; "
                "--window N says how many of them a model sees at a time"
            )
        window = lengths[0]
    return window, reading.stride or window


def _cut(
    path: Path, recordings: list[NDArray[np.float32]], listing: Listing, window: int, stride: int
) -> tuple[NDArray[np.float32], NDArray[np.int64], NDArray[np.int64]]:
    """Return the windows of all recordings, the label of each, and the number of its recording."""
    counts = np.array([max(0, (len(one) - window) // stride + 1) for one in recordings])
    if not counts.sum():
        raise DataError(f"{path}: no recording has the {window:,} rows of a window; choose a shorter --window")
    _check_windows(path, int(counts.sum()), window, recordings[0])
    windows = [
        one[start : start + window]
        for one, count in zip(recordings, counts, strict=True)
        for start in range(0, count * stride, stride)
    ]
    return np.stack(windows), np.repeat(listing.labels, counts), np.repeat(np.arange(len(recordings)), counts)


def _check_windows(path: Path, count: int, window: int, rows: NDArray[np.float32]) -> None:
    """Raise DataError for more windows of such rows, (N, columns), than the memory holds."""
    size = count * window * rows.shape[1] * rows.itemsize
    check_memory(size, what=f"{path}: its {count:,} windows", error=DataError)
