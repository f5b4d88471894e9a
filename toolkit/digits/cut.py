"""A photo that was cut to its digit gets paper around it: without that, a bar along a side is a line or a desk."""

from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from toolkit.digits import components, ink
from toolkit.digits.form import stroke_width
from toolkit.digits.strokes import HOLE, touches_border

Pixel = TypeVar("Pixel", np.uint8, np.bool_)

# A patch of ink that is nearer to all four sides than this share of the longer side leaves no margin.
NEAR_SIDES = 0.04
# A digit meets the border of a photo in few places: a 2 with its base and its turns in four, squared paper in dozens.
MOST_CROSSINGS = 6
# Strokes are thinner than this share of the photo's longer side; a shadow is not.
THICKEST = 0.3
# What a card holds has at least this share of the photo's longer side.
HELD = 0.3
# How wide the paper is that is put around it, as a share of the longer side.
MARGIN = 0.25


def margin(grey: NDArray[np.uint8]) -> int:
    """Return how many pixels of paper are missing around a (H, W) page; 0 if it was not cut to a digit."""
    inked, _ = _inked(grey)
    labels, patches = components.label(inked)
    if not patches:
        return 0
    largest, side = max(patches, key=lambda one: one.area), max(grey.shape)
    box = largest.box
    gap = max(box.top, box.left, grey.shape[0] - box.bottom, grey.shape[1] - box.right)
    if gap > NEAR_SIDES * side or _crossings(inked) > MOST_CROSSINGS:
        return 0
    is_digit = stroke_width(labels == largest.label) <= THICKEST * side and not _holds_strokes(~inked)
    return round(MARGIN * side) if is_digit else 0


def _holds_strokes(paper: NDArray[np.bool_]) -> bool:
    """Say whether what is enclosed by the ink is a figure, as on a card, and no hole of a digit."""
    labels, patches = components.label(paper)
    least = HELD * max(paper.shape)
    inner = [one for one in patches if one.box.side >= least and not touches_border(one.box, paper.shape)]
    return any(stroke_width(labels[one.box.slices] == one.label) <= HOLE * one.box.side for one in inner)


def padded(grey: NDArray[np.uint8], margin: int) -> tuple[NDArray[np.uint8], bool]:
    """Return a page with so many pixels of paper around it, and whether its ink is light."""
    paper = int(np.median(_border(grey)))
    return np.pad(grey, margin, constant_values=paper), _inked(grey)[1]


def _inked(grey: NDArray[np.uint8]) -> tuple[NDArray[np.bool_], bool]:
    """Return which pixels are not of the border's class, by Otsu's threshold, and whether those are light."""
    dark = grey < 255 * ink.otsu((grey.ravel() / 255).astype(np.float32))
    light = float(_border(dark).mean()) >= 0.5
    return (~dark, True) if light else (dark, False)


def _border(page: NDArray[Pixel]) -> NDArray[Pixel]:
    """Return the pixels along the sides, clockwise."""
    return np.concatenate((page[0], page[1:, -1], page[-1, -2::-1], page[-2:0:-1, 0]))


def _crossings(inked: NDArray[np.bool_]) -> int:
    """Return how many runs of ink there are along the sides, once around."""
    border = _border(inked)
    return int((border & ~np.roll(border, 1)).sum())
