"""Ruled lines and squares: long thin lines of ink that cross the whole page are taken out of a mask."""

import numpy as np
from numpy.typing import NDArray

# A line may be this steep: a page is seldom held worse than 8 degrees askew.
STEEPEST = np.tan(np.deg2rad(8))
# The share of the columns in which a line must have ink, more than the side of a frame, and that of its faint edges.
WHOLE, EDGE = 0.92, 0.6
# Nothing thicker than this share of the shorter side is a ruled line; a stroke of a digit is, where it is as long.
THICKEST = 0.02
# Lines are looked for in so many columns of a mask.
SEARCH_COLUMNS = 160


def without_lines(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return a (H, W) mask without the lines that run through the page; strokes that cross them stay whole."""
    across = _ruled(mask)
    down = _ruled(mask.T).T
    return mask & ~across & ~down


def _ruled(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return the ink of the lines that run from left to right."""
    ruled = np.zeros_like(mask)
    height, width = mask.shape
    if mask.any(axis=0).mean() < WHOLE:
        return ruled
    every = -(-width // SEARCH_COLUMNS)
    rows, columns = np.nonzero(mask[:, ::every])
    # Neighbouring slopes differ by a pixel over the whole width.
    steps = int(STEEPEST * width)
    slopes = np.arange(-steps, steps + 1) / width
    shifts = steps - np.rint(slopes[:, np.newaxis] * np.arange(0, width, every)).astype(np.intp)
    filled = np.stack([np.bincount(rows + shift[columns], minlength=height + 2 * steps + 1) for shift in shifts])
    share = filled / len(range(0, width, every))
    thickest = 1 + round(THICKEST * min(mask.shape))
    while share.max() >= WHOLE:
        slope, middle = np.unravel_index(np.argmax(share), share.shape)
        first, last = _extent(share[slope], int(middle))
        if last - first + 1 <= thickest:
            _draw(ruled, mask, float(slopes[slope]), first - steps, last + 1 - steps)
        # The same line is nearly as full at the slopes beside.
        share[:, max(0, first - thickest) : last + thickest + 1] = 0
    return ruled


def _extent(filled: NDArray[np.float64], middle: int) -> tuple[int, int]:
    """Return the first and the last offset of the line around one."""
    first = last = middle
    while first > 0 and filled[first - 1] >= EDGE:
        first -= 1
    while last + 1 < filled.size and filled[last + 1] >= EDGE:
        last += 1
    return first, last


def _draw(ruled: NDArray[np.bool_], mask: NDArray[np.bool_], slope: float, first: int, behind: int) -> None:
    """Mark the ink of a line, but where ink goes on above or below it: there a stroke crosses."""
    height, width = mask.shape
    columns = np.arange(width)
    middle = slope * columns
    top = np.clip(np.floor(middle + first).astype(int) - 1, 0, height)
    bottom = np.clip(np.ceil(middle + behind).astype(int) + 1, 0, height)
    padded = np.zeros((height + 2, width), bool)
    padded[1:-1] = mask
    crossed = padded[top, columns] | padded[bottom + 1, columns]
    # A page may have hundreds of lines, and each lies in few of its rows.
    part = slice(int(top.min()), int(bottom.max()))
    rows = np.arange(part.start, part.stop)[:, np.newaxis]
    ruled[part] |= mask[part] & (rows >= top) & (rows < bottom) & ~crossed
