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

Floats = NDArray[np.float64]
# Directions from a marker in which its label is tried, in turns of 360 degrees, those at the right first; at distances
# of so many points, the nearest first. (places,) and (places, 2).
_TURNS = sorted(range(24), key=lambda turn: min(turn, 24 - turn))
_AWAY = np.arange(2.0, 200.0, 8.0)
DISTANCES = np.repeat(_AWAY, len(_TURNS))
DIRECTIONS = np.tile([[np.cos(2 * pi * turn / 24), np.sin(2 * pi * turn / 24)] for turn in _TURNS], (len(_AWAY), 1))
# Space around a label, and the distance from which on a line leads to it, in points.
GAP, LINE_FROM = 1.5, 8.0
# Whether a line crosses a label is tried at these shares of the line.
LINE_SHARES = np.linspace(0, 1, 12)[:, None]
# Orders in which the labels choose; the best one counts. What a label without room counts, in points.
ORDERS = 12
CROWDED = 1000.0


@dataclass(frozen=True)
class Label:
    """A text for the point ``at``, in data coordinates. area: of its marker, in square points."""

    at: tuple[float, float]
    area: float
    text: str
    bold: bool


def place(axes: "Axes", labels: Sequence[Label]) -> "list[Annotation]":
    """Write each label as near to its point as there is room, with a line to it if it had to move away.

    The axes must have their final place and limits. In a chart that is too full, labels may cover each other.
    """
    scale = axes.get_figure(root=True).dpi / 72  # type: ignore[union-attr]
    centres = axes.transData.transform([label.at for label in labels])
    halves = np.array([[sqrt(label.area) / 2 * scale] * 2 for label in labels])
    written = [_write(axes, label) for label in labels]
    sizes = np.array([[text.get_window_extent().width, text.get_window_extent().height] for text in written])
    sizes += 2 * GAP * scale
    frame = np.array(axes.get_window_extent().extents)
    rightwards = np.argsort(centres[:, 0])
    rng = np.random.default_rng(0)
    orders = [rightwards, rightwards[::-1], *(rng.permutation(len(labels)) for _ in range(ORDERS - 2))]
    layouts = (_lay_out(order, centres, sizes, halves, frame=frame, scale=scale) for order in orders)
    _, chosen = min(layouts, key=lambda layout: layout[0])
    for number, text in enumerate(written):
        distance, offset = chosen[number]
        text.set_position(tuple(offset / scale))
        if text.arrow_patch is not None and distance < LINE_FROM:
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


def _lay_out(
    order: NDArray[np.int64], centres: Floats, sizes: Floats, halves: Floats, *, frame: Floats, scale: float
) -> tuple[float, dict[int, tuple[float, Floats]]]:
    """Let each label in turn take its nearest free place; its edge is at the distance from its marker.

    Return what all distances add up to, in points, and of each label its distance and its offset in pixels. centres,
    sizes, halves: (labels, 2) in pixels, of the markers, the labels, and half of the markers.
    """
    # Left, bottom, right, top. A point of a line is a box without a size; what is not drawn is no number.
    markers, boxes, points = np.hstack([centres - halves, centres + halves]), np.empty((0, 4)), np.empty((0, 4))
    chosen, total = {}, 0.0
    for label in order:
        centre, half_size = centres[label], sizes[label] / 2
        offsets = DIRECTIONS * (halves[label] + DISTANCES[:, None] * scale + half_size)
        mine = np.hstack([centre + offsets - half_size, centre + offsets + half_size])
        lines = np.tile(centre + LINE_SHARES * offsets[:, None], 2)
        lines[_meet(lines, mine[:, None]) | (DISTANCES < LINE_FROM)[:, None]] = np.nan
        free = (mine[:, :2] >= frame[:2]).all(axis=1) & (mine[:, 2:] <= frame[2:]).all(axis=1)
        free &= ~_meet(mine[:, None], np.vstack([markers, boxes, points])).any(axis=1)
        free &= ~_meet(lines[:, :, None], boxes).any(axis=(1, 2))
        place = int(np.argmax(free))
        total += DISTANCES[place] if free.any() else CROWDED
        chosen[int(label)] = float(DISTANCES[place]), offsets[place]
        boxes, points = np.vstack([boxes, mine[place]]), np.vstack([points, lines[place]])
    return total, chosen


def _meet(boxes: Floats, others: Floats) -> NDArray[np.bool_]:
    """Say which boxes share an area, (..., 4)."""
    left, bottom, right, top = np.moveaxis(others, -1, 0)
    across = (boxes[..., 0] < right) & (left < boxes[..., 2])
    meet: NDArray[np.bool_] = across & (boxes[..., 1] < top) & (bottom < boxes[..., 3])
    return meet
