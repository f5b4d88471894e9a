"""Labels of the points of a chart, placed so that none covers another or a marker."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import pi, sqrt
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from toolkit.drawing import FAINT, FINE

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.text import Annotation

# Distances between a marker and its label that are tried, in points, and directions at each.
DISTANCES = np.arange(2.0, 200.0, 8.0)
DIRECTIONS = 24
# Space around a label, and the distance from which on a line leads to it, in points.
GAP, LINE_FROM = 1.5, 8.0
# Whether a line crosses a label is tried at this many points of the line.
LINE_POINTS = 12
# Orders in which the labels choose; the best one counts. What a label without room counts, in points.
ORDERS = 12
CROWDED = 1000.0

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class Label:
    """A text for the point ``at``, in data coordinates. area: of its marker, in square points."""

    at: tuple[float, float]
    area: float
    text: str
    bold: bool


@dataclass(frozen=True)
class _Places:
    """Where one label may stand, nearest first; pixels, but the distances, which are points.

    offsets: (N, 2) of its middle from its point. boxes: (N, 4), left, bottom, right, top. lines: (N, LINE_POINTS, 2),
    not a number if no line is drawn. open: (N,), whether it is inside the chart and covers no marker.
    """

    distances: Floats
    offsets: Floats
    boxes: Floats
    lines: Floats
    open: Flags


def place(axes: "Axes", labels: Sequence[Label]) -> "list[Annotation]":
    """Write each label as near to its point as there is room, with a line to it if it had to move away.

    The axes must have their final place and limits. In a chart that is too full, labels may cover each other.
    """
    scale = axes.get_figure(root=True).dpi / 72  # type: ignore[union-attr]
    centres = axes.transData.transform([label.at for label in labels])
    halves = np.array([[sqrt(label.area) / 2 * scale] * 2 for label in labels])
    markers = np.hstack([centres - halves, centres + halves])
    written = [_write(axes, label) for label in labels]
    sizes = np.array([[text.get_window_extent().width, text.get_window_extent().height] for text in written])
    sizes += 2 * GAP * scale
    frame = np.array(axes.get_window_extent().extents)
    places = [
        _places(centre, size, half, scale, frame=frame, markers=markers)
        for centre, size, half in zip(centres, sizes, halves, strict=True)
    ]
    rightwards = np.argsort(centres[:, 0])
    rng = np.random.default_rng(0)
    orders = [rightwards, rightwards[::-1], *(rng.permutation(len(labels)) for _ in range(ORDERS - 2))]
    _, chosen = min((_lay_out(places, order) for order in orders), key=lambda layout: layout[0])
    for text, options, number in zip(written, places, chosen, strict=True):
        text.set_position(tuple(options.offsets[number] / scale))
        if text.arrow_patch is not None and options.distances[number] < LINE_FROM:
            text.arrow_patch.set_visible(False)
    return written


def _write(axes: "Axes", label: Label) -> "Annotation":
    style: dict[str, Any] = {"fontsize": FINE, "weight": "bold" if label.bold else "normal", "zorder": 5}
    return axes.annotate(
        label.text,
        label.at,
        (0, 0),
        textcoords="offset points",
        ha="center",
        va="center",
        bbox={"facecolor": "white", "alpha": 0.85, "edgecolor": "none", "pad": 0.5},
        arrowprops={"arrowstyle": "-", "color": FAINT, "lw": 0.6, "shrinkA": 0, "shrinkB": 0},
        **style,
    )


def _places(centre: Floats, size: Floats, half: Floats, scale: float, *, frame: Floats, markers: Floats) -> _Places:
    """Return the places of a label, those at the right first; its edge is at the distance from the marker."""
    turns = sorted(range(DIRECTIONS), key=lambda turn: min(turn, DIRECTIONS - turn))
    angles = 2 * pi * np.tile(turns, len(DISTANCES)) / DIRECTIONS
    distances = np.repeat(DISTANCES, DIRECTIONS)
    reach = half + distances[:, None] * scale + size / 2
    offsets = np.stack([np.cos(angles), np.sin(angles)], axis=1) * reach
    middles = centre + offsets
    boxes = np.hstack([middles - size / 2, middles + size / 2])
    shares = np.linspace(0, 1, LINE_POINTS)[None, :, None]
    lines = centre + shares * offsets[:, None]
    lines[_inside(lines, boxes[:, None]) | (distances < LINE_FROM)[:, None]] = np.nan
    left, bottom, right, top = boxes.T
    within = (left >= frame[0]) & (bottom >= frame[1]) & (right <= frame[2]) & (top <= frame[3])
    covers: Flags = np.logical_or.reduce(_meet(boxes[:, None], markers), axis=1)
    return _Places(distances, offsets, boxes, lines, within & ~covers)


def _lay_out(places: Sequence[_Places], order: Sequence[int] | NDArray[np.int64]) -> tuple[float, list[int]]:
    """Let each label in turn take its nearest free place; return what all distances add up to, and the places."""
    chosen: dict[int, int] = {}
    total = 0.0
    for label in order:
        mine = places[label]
        free = mine.open.copy()
        for other, number in chosen.items():
            box, line = places[other].boxes[number], places[other].lines[number]
            free &= ~_meet(mine.boxes, box)
            free &= ~_inside(line, mine.boxes[:, None]).any(axis=1)
            free &= ~_inside(mine.lines, box).any(axis=1)
        chosen[label] = int(np.argmax(free))
        total += mine.distances[chosen[label]] if free.any() else CROWDED
    return total, [chosen[label] for label in range(len(places))]


def _meet(boxes: Floats, others: Floats) -> Flags:
    """Say which boxes share an area, (..., 4)."""
    left, bottom, right, top = np.moveaxis(others, -1, 0)
    across = (boxes[..., 0] < right) & (left < boxes[..., 2])
    meet: Flags = across & (boxes[..., 1] < top) & (bottom < boxes[..., 3])
    return meet


def _inside(points: Floats, boxes: Floats) -> Flags:
    """Say which points lie in boxes, (..., 2) and (..., 4)."""
    x, y = points[..., 0], points[..., 1]
    inside: Flags = (x > boxes[..., 0]) & (y > boxes[..., 1]) & (x < boxes[..., 2]) & (y < boxes[..., 3])
    return inside
