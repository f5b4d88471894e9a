"""Sensors: a folder per class with one recording a CSV file, cut into windows that a model sees one at a time."""

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from toolkit import units
from toolkit.data import table
from toolkit.data.base import Dataset, folders
from toolkit.data.base.folders import Listing, Notes
from toolkit.data.base.values import Asked
from toolkit.errors import DataError
from toolkit.files.memory import check_memory
from toolkit.reading import AS_THEY_ARE, Clock, Reading
from toolkit.text import printable

SUMMARY = "a folder with one folder of recordings per class: .csv files of sensors, a row for each point in time"
READS = ("window", "stride", "columns", "clock")
SUFFIX = folders.CSV
KIND = "recordings"
# What columns that say when a row was measured are called; they say nothing about the class.
TIMES = ("t", "time", "timestamp")
# So many rows of a recording tell how far apart all are; recordings of one rate differ by less than this share.
FIRST_ROWS, JITTER = 1_000, 0.1


def recognises(path: Path) -> bool:
    """Say whether ``path`` is a folder whose folders hold .csv files."""
    return folders.first_suffix(path) == SUFFIX


def load(path: Path, reading: Reading = AS_THEY_ARE) -> Dataset:
    """Read every recording under ``path`` and cut it into windows, (N, window, columns).

    Windows of one recording never fall in two parts. Rows that fill no whole window are left out.
    """
    tree = folders.find(path, (SUFFIX,), kind=KIND)
    columns = reading.columns
    times: tuple[str, ...] = (reading.clock.column,) if reading.clock else ()
    if not columns:
        columns, times = _columns(tree.listings["training"].files[0], tree.notes)
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
    clock = _clock(
        path, [file for listing in tree.listings.values() for file in listing.files], times, reading.clock, tree.notes
    )
    how = replace(reading, window=window, stride=stride, columns=columns, clock=clock)
    return tree.dataset(path, rows, how, groups=cut["training"][2])


def rows_of(path: Path, reading: Reading) -> Asked:
    """Return the windows of a recording that a model is asked about, and what to call each: file and lines."""
    recording = table.read(path, columns=reading.columns or (), label=None)
    window, stride = reading.window or len(recording.values), reading.stride or 1
    starts = range(0, len(recording.values) - window + 1, stride)
    if not starts:
        raise DataError(f"{path}: has {len(recording.values)} rows; a window of this model has {window}")
    _check_windows(path, len(starts), window, recording.values)
    clock = reading.clock
    notes: tuple[str, ...] = ()
    if clock and (step := _step(path, clock.column)) is not None and _differs(step, clock):
        grows = f"its {printable(clock.column)} grows by {step:g} from row to row, by {clock.step:g} in training"
        notes = (f"{path}: has another sampling rate than the model: {grows}; bring it to that rate",)
    names = [f"{path}:{recording.lines[start]}-{recording.lines[start + window - 1]}" for start in starts]
    return Asked(names, np.stack([recording.values[start : start + window] for start in starts]), notes)


def _columns(file: Path, notes: Notes) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the columns of the first recording that say something, which all must have, and those that say when."""
    names = table.header(file)
    times = tuple(name for name in names if re.split(r"[(\[]", name.lower())[0].strip() in TIMES)
    if times:
        notes.add(f"the column {', '.join(map(printable, times))} says when and was left out")
    columns = tuple(name for name in names if name not in times)
    if not columns:
        raise DataError(f"{file}: has no columns but the time")
    return columns, times


def _clock(path: Path, files: Sequence[Path], times: Sequence[str], known: Clock | None, notes: Notes) -> Clock | None:
    """Return how far apart the rows of most recordings are, as the first column says that tells; say which differ.

    known: what the recordings are compared with, if a model has learned from others.
    """
    for column in times:
        if steps := {file: step for file in files if (step := _step(file, column)) is not None}:
            clock = known or Clock(column=column, step=sorted(steps.values())[len(steps) // 2])
            others = {file.relative_to(path): step for file, step in steps.items() if _differs(step, clock)}
            if others:
                named = units.first([f"{file}: {step:g}" for file, step in others.items()], folders.NAMED)
                notes.add(
                    f"another sampling rate in {len(others):,} of {len(files):,} recordings: from row to row, "
                    f"{printable(column)} does not grow by {clock.step:g} there ({named}); bring all to one rate"
                )
            return clock
    return known


def _step(file: Path, column: str) -> float | None:
    """Return how far apart the first rows of a recording are on average; None if the column does not tell."""
    try:
        steps = np.diff(np.array(table.first_cells(file, column, FIRST_ROWS), np.float64))
    except ValueError:  # dates
        return None
    tells = len(steps) > 0 and bool((steps > 0).all() and np.isfinite(steps).all())
    return float(steps.mean()) if tells else None


def _differs(step: float, clock: Clock) -> bool:
    return abs(step - clock.step) > JITTER * clock.step


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
