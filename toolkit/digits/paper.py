"""The paper of a photo, estimated at each place: what is left when all that is thinner than a window is taken away."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Pick = Callable[[NDArray[np.uint8], NDArray[np.uint8]], NDArray[np.uint8]]

# A regular octagon of width 1 is the sum of a square and of two diagonal segments with these extents.
SQUARE_SHARE, DIAGONAL_SHARE = 0.414, 0.293
# What is dark along this share of a side of the image goes on beyond it: a desk or a shadow. A stroke is shorter.
ALONG_BORDER = 0.6


def estimate(grey: NDArray[np.uint8], *, window: int) -> NDArray[np.uint8]:
    """Return the paper under dark ink, (H, W): the page's closing by an octagon of ``window`` pixels.

    Dark strokes into which the octagon does not fit vanish. Everything wider stays what it is: light that fades, a
    shadow with its edge, a desk around a card. (Soille, Morphological Image Analysis, 2nd edition, section 4.5: black
    top-hat.)
    """
    square, diagonal = max(2, round(window * SQUARE_SHARE)), 1 + round(window * DIAGONAL_SHARE)
    reach = square - 1 + 2 * (diagonal - 1)
    page = _continued(grey, reach)
    for pick in (np.maximum, np.minimum):
        page = _along(page, pick, square, (0, 1))
        page = _along(page, pick, square, (1, 0))
        page = _along(page, pick, diagonal, (1, 1))
        page = _along(page, pick, diagonal, (1, -1))
    return page


def _continued(grey: NDArray[np.uint8], reach: int) -> NDArray[np.uint8]:
    """Let the page go on beyond the image, by ``reach`` pixels, as the paper is at the image's border.

    So what is dark along a whole side is wide, and a stroke that touches a side is not.
    """
    border = grey.copy()
    for edge, line in (
        (border[0], grey[0]),
        (border[-1], grey[-1]),
        (border[:, 0], grey[:, 0]),
        (border[:, -1], grey[:, -1]),
    ):
        np.maximum(edge, _closed_line(line), out=edge)
    page = np.pad(border, reach, mode="edge")
    page[reach : reach + grey.shape[0], reach : reach + grey.shape[1]] = grey
    return page


def _closed_line(line: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return a row of pixels without what is dark for less than a share of it."""
    length = max(2, round(line.size * ALONG_BORDER))
    closed = np.pad(line, length - 1, mode="edge")[np.newaxis]
    for pick in (np.maximum, np.minimum):
        closed = _along(closed, pick, length, (0, 1))
    return closed.reshape(-1)


def _along(pixels: NDArray[np.uint8], pick: Pick, length: int, direction: tuple[int, int]) -> NDArray[np.uint8]:
    """Return the maximum or minimum of ``length`` pixels in a direction, if all of them are inside.

    Each step doubles how many pixels a value stands for.
    """
    done = 1
    while done < length:
        step = min(done, length - done)
        down, right = step * direction[0], step * abs(direction[1])
        height, width = pixels.shape[0] - down, pixels.shape[1] - right
        here, there = (0, right) if direction[1] >= 0 else (right, 0)
        pixels = pick(pixels[:height, here : here + width], pixels[down:, there : there + width])
        done += step
    return pixels
