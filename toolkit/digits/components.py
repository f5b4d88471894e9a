"""Connected components: the patches of ink in a mask, their boxes and sizes."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Box:
    """A part of an image, in pixels; bottom and right are the first row and column behind it."""

    top: int
    left: int
    bottom: int
    right: int

    @property
    def height(self) -> int:
        """Rows."""
        return self.bottom - self.top

    @property
    def width(self) -> int:
        """Columns."""
        return self.right - self.left

    @property
    def side(self) -> int:
        """The longer side."""
        return max(self.height, self.width)

    @property
    def area(self) -> int:
        """Pixels."""
        return self.height * self.width

    def gap(self, other: "Box") -> float:
        """Return the distance to another box; 0 if they touch or overlap."""
        rows = max(0, other.top - self.bottom, self.top - other.bottom)
        columns = max(0, other.left - self.right, self.left - other.right)
        return float(np.hypot(rows, columns))

    def joined(self, other: "Box") -> "Box":
        """Return the smallest box that holds both."""
        return Box(
            min(self.top, other.top),
            min(self.left, other.left),
            max(self.bottom, other.bottom),
            max(self.right, other.right),
        )

    def grown(self, pixels: int, shape: tuple[int, ...]) -> "Box":
        """Return the box with a margin, inside an image of a shape."""
        return Box(
            max(0, self.top - pixels),
            max(0, self.left - pixels),
            min(shape[0], self.bottom + pixels),
            min(shape[1], self.right + pixels),
        )

    def scaled(self, times: int, shape: tuple[int, ...]) -> "Box":
        """Return the box in an image that is larger by a factor, inside that image's shape."""
        return Box(
            self.top * times,
            self.left * times,
            min(shape[0], self.bottom * times),
            min(shape[1], self.right * times),
        )

    def moved(self, pixels: int, shape: tuple[int, ...]) -> "Box":
        """Return the box so many pixels down and to the right, inside an image of a shape."""
        rows = (min(max(0, edge + pixels), shape[0]) for edge in (self.top, self.bottom))
        columns = (min(max(0, edge + pixels), shape[1]) for edge in (self.left, self.right))
        (top, bottom), (left, right) = rows, columns
        return Box(top, left, bottom, right)

    @property
    def slices(self) -> tuple[slice, slice]:
        """What cuts the box out of an array."""
        return slice(self.top, self.bottom), slice(self.left, self.right)


@dataclass(frozen=True)
class Component:
    """A patch of ink. label: its value in the labels; area: its pixels."""

    label: int
    box: Box
    area: int


def label(mask: NDArray[np.bool_]) -> tuple[NDArray[np.int32], list[Component]]:
    """Return the components of a mask: labels (H, W), 0 where is none, and one Component for each of 1, 2, …

    Pixels that touch by a side or by a corner belong together. Works on runs, the ink pixels side by side in a row:
    two runs of neighbouring rows that touch get the smaller of their numbers until nothing changes.
    """
    height, width = mask.shape
    # Two columns of paper keep the end of a row from the beginning of the next.
    row_length = width + 2
    edges = np.diff(np.pad(mask, ((0, 0), (1, 2))).astype(np.int8).reshape(-1))
    starts, ends = np.flatnonzero(edges == 1), np.flatnonzero(edges == -1)
    rows = starts // (row_length + 1)
    starts, ends = starts - rows * (row_length + 1), ends - rows * (row_length + 1)
    numbers = _joined(starts + rows * row_length, ends + rows * row_length, row_length)
    count = int(numbers.max()) + 1 if numbers.size else 0
    top, left = np.full(count, height), np.full(count, width)
    bottom, right = np.zeros(count, int), np.zeros(count, int)
    np.minimum.at(top, numbers, rows)
    np.maximum.at(bottom, numbers, rows + 1)
    np.minimum.at(left, numbers, starts)
    np.maximum.at(right, numbers, ends)
    area = np.bincount(numbers, weights=ends - starts, minlength=count).astype(int)
    labels = np.zeros(mask.shape, np.int32)
    labels[mask] = np.repeat(numbers + 1, ends - starts)
    boxes = zip(top.tolist(), left.tolist(), bottom.tolist(), right.tolist(), area.tolist(), strict=True)
    return labels, [Component(number, Box(*sides), pixels) for number, (*sides, pixels) in enumerate(boxes, start=1)]


def _joined(starts: NDArray[np.intp], ends: NDArray[np.intp], row_length: int) -> NDArray[np.intp]:
    """Return the number of each run's component, 0, 1, …; starts and ends count through all rows."""
    first = np.searchsorted(ends, starts + row_length, side="left")
    behind = np.searchsorted(starts, ends + row_length, side="right")
    touching = np.maximum(behind - first, 0)
    upper = np.repeat(np.arange(starts.size), touching)
    lower = np.arange(upper.size) - np.repeat(np.cumsum(touching) - touching, touching) + np.repeat(first, touching)
    numbers = np.arange(starts.size)
    while True:
        smaller = np.minimum(numbers[upper], numbers[lower])
        if (numbers[upper] == numbers[lower]).all():
            break
        # The runs that gave the numbers get the smaller one as well, so that long strokes take few rounds.
        for runs in (numbers[upper], numbers[lower], upper, lower):
            np.minimum.at(numbers, runs, smaller)
        while (numbers != numbers[numbers]).any():
            numbers = numbers[numbers]
    return np.unique(numbers, return_inverse=True)[1].reshape(-1)
