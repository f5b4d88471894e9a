"""Checks of a data set for faults that make a bad model without any error: pixels that use little of their range,
images with nothing on them, columns of one value, or that number the rows or tell the time, and parts that do not fit
each other.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from toolkit.data.base import Dataset, Split
from toolkit.data.base.pixels import CHUNK_ROWS, WHITE, chunks
from toolkit.text import printable
from toolkit.units import first

# Pixels of 5 bits or less: 0 and 1, 0 to 16, or 12 bits in files of 16. Photos in the dark span more.
NARROW_SPAN = 2**5
# Mean pixels of training and other images that differ by more than a quarter of the range.
FAR_MEANS = WHITE / 4
# How many rows or classes a message names.
NAMED = 5
# Fewest rows, or steps in all windows: with fewer, a column may number or grow by chance.
FEWEST = 20


@dataclass(frozen=True)
class _Seen:
    """What the pixels of a split are. part: its name in a sentence. plain: the rows of images of one shade."""

    part: str
    images: int
    low: int
    high: int
    mean: float
    plain: list[int]


def look(dataset: Dataset) -> list[str]:
    """Return a line, with its figure, for each thing that is conspicuous."""
    lines = [*(_pixels(dataset) if dataset.is_pixels else _values(dataset)), *_empty_classes(dataset)]
    return [f"{dataset.origin}: {text}" for text in lines]


def _pixels(dataset: Dataset) -> Iterator[str]:
    seen = [_see("training" if name == "train" else name, split) for name, split in dataset.splits.items()]
    yield from (*_narrow(seen), *_plain(seen), *_unlike(seen))


def _values(dataset: Dataset) -> Iterator[str]:
    """Say which columns, or channels, have one value in all training rows, number the rows, or grow as time does."""
    values = dataset.train.images
    low, high = (
        np.array([end(rows, axis=tuple(range(rows.ndim - 1))) for rows in chunks(values)]) for end in (np.min, np.max)
    )
    constant = low.min(axis=0) == high.max(axis=0)
    suspects = (
        (constant, "have one value in all training rows", "a model learns nothing from them"),
        (_numbering(values), "number the rows", "a model learns nothing about other rows from them; remove them"),
        (_growing(values) & ~constant, "only grow from step to step, as time does",
         "remove what only says when, or call it time in recordings, which leave that out"),
    )  # fmt: skip
    names = dataset.reading.columns or tuple(str(number) for number in range(values.shape[-1]))
    for columns, what, so in suspects:
        if places := np.flatnonzero(columns).tolist():
            named = first([printable(names[place]) for place in places], NAMED)
            yield f"{len(places)} of {len(names)} columns {what} ({named}); {so}"


def _numbering(values: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Say which columns of a table have another whole number in each row, and hardly any number between them."""
    rows, columns = values.shape[0], values.shape[-1]
    if values.ndim > 2 or rows < FEWEST:
        return np.zeros(columns, np.bool_)
    # Of most columns a few rows tell.
    return np.array(
        [_tells_apart(one[:CHUNK_ROWS]) and np.ptp(one) < 2 * rows and _tells_apart(one) for one in values.T]
    )


def _tells_apart(column: NDArray[np.float32]) -> bool:
    """Say whether each row has another whole number."""
    ordered = np.sort(column)
    return bool((ordered == np.rint(ordered)).all() and (ordered[1:] > ordered[:-1]).all())


def _growing(values: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Say which columns never fall from one step of a window to the next, in all windows."""
    if values.ndim != 3 or len(values) * (values.shape[1] - 1) < FEWEST:
        return np.zeros(values.shape[-1], np.bool_)
    grows = [(rows[:, 1:] >= rows[:, :-1]).all(axis=(0, 1)) for rows in chunks(values)]
    return np.asarray(np.all(grows, axis=0))


def _see(part: str, split: Split) -> _Seen:
    low, high, total = WHITE, 0, 0
    plain: list[int] = []
    start = 0
    for rows in chunks(split.images):
        lows, highs = rows.min(axis=(1, 2)), rows.max(axis=(1, 2))
        low, high = min(low, int(lows.min())), max(high, int(highs.max()))
        total += int(rows.sum(dtype=np.int64))
        plain += [start + int(row) for row in np.flatnonzero((lows == highs).all(axis=1))]
        start += len(rows)
    return _Seen(part, len(split), low, high, total / split.images.size, plain)


def _narrow(seen: list[_Seen]) -> Iterator[str]:
    for one in seen:
        if one.high - one.low < NARROW_SPAN:
            yield f"the pixels of its {one.part} images span {one.low} to {one.high} of {WHITE}; scale them up"


def _plain(seen: list[_Seen]) -> Iterator[str]:
    for one in seen:
        if one.plain and one.high > one.low:
            count = f"{len(one.plain):,} of {one.images:,} {one.part} images"
            yield f"{count} are of one shade, nothing is on them (rows {first(one.plain, NAMED)})"


def _unlike(seen: list[_Seen]) -> Iterator[str]:
    """Say which part is much lighter or darker than training: an inverted one has the mean that is left to white."""
    training = seen[0].mean
    for one in seen[1:]:
        if abs(training - one.mean) > FAR_MEANS:
            inverted = "; is one of them inverted?" if abs(training + one.mean - WHITE) < FAR_MEANS else ""
            means = f"its training images is {training:.0f}, of its {one.part} images {one.mean:.0f}"
            yield f"the mean pixel of {means}{inverted}"


def _empty_classes(dataset: Dataset) -> Iterator[str]:
    for name, split in dataset.splits.items():
        counts = np.bincount(split.labels, minlength=dataset.classes)
        empty = [dataset.class_names[label] for label in np.flatnonzero(counts == 0)]
        if empty:
            what = f"no {name} {dataset.noun} ({first(empty, NAMED)})"
            yield f"{len(empty)} of {dataset.classes} classes have {what}; no figure is about them"
