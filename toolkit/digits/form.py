"""The form of MNIST: light ink on black, in a box of 20 of 28 pixels, centred by mass."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from toolkit import extras

# MNIST's digits were scaled to fit a box of 20 pixels in an image of 28 (http://yann.lecun.com/exdb/mnist).
BOX_SHARE = 20 / 28
# How far from the centre the centre of mass may be in an image that is taken as it is, in pixels: MNIST's are rounded.
OFF_CENTRE = 1.0
# Ink fainter than this share of the strongest is the blur around a stroke.
FAINT = 0.25
# Strokes thinner than this share of the box are drawn thicker: in MNIST they are about an eighth of it, and a model has
# never seen the hair line that a pen makes of a large digit.
THINNEST = 1 / 10


def is_mnist(pixels: NDArray[np.uint8], *, height: int, width: int) -> bool:
    """Say whether (H, W) pixels have MNIST's form already: size, black border, size of the digit and its place."""
    if pixels.shape != (height, width) or min(height, width) < 3:
        return False
    border = np.concatenate((pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]))
    if border.any() or not pixels.any():
        return False
    rows, columns = np.flatnonzero(pixels.any(axis=1)), np.flatnonzero(pixels.any(axis=0))
    fills = max((np.ptp(rows) + 1) / height, (np.ptp(columns) + 1) / width) / BOX_SHARE
    row, column = _centre_of_mass(pixels)
    centred = abs(row - height / 2) <= OFF_CENTRE and abs(column - width / 2) <= OFF_CENTRE
    return bool(abs(fills - 1) <= 1.5 / min(height, width) / BOX_SHARE and centred)


def to_form(ink: NDArray[np.float32], *, height: int, width: int) -> NDArray[np.uint8]:
    """Bring the ink of one digit, (H, W) in [0, 1] and cut to its box, to the form: (height, width) uint8."""
    scale = min(height * BOX_SHARE / ink.shape[0], width * BOX_SHARE / ink.shape[1])
    strong = _thickened(ink, scale, min(height, width) * BOX_SHARE)
    rows, columns = np.flatnonzero(strong.any(axis=1)), np.flatnonzero(strong.any(axis=0))
    strong = strong[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    scale = min(height * BOX_SHARE / strong.shape[0], width * BOX_SHARE / strong.shape[1])
    size = (max(1, round(strong.shape[0] * scale)), max(1, round(strong.shape[1] * scale)))
    pil: Any = extras.load("PIL.Image")
    grey = pil.fromarray(np.rint(strong * 255).astype(np.uint8))
    digit = np.asarray(grey.resize(size[::-1], pil.Resampling.BICUBIC), np.float32)
    # Thin strokes lose strength if they are shrunk.
    digit = np.clip(digit * (255 / max(float(digit.max()), 1.0)), 0, 255)
    return _centred(np.rint(digit).astype(np.uint8), height, width)


def stroke_width(mask: NDArray[np.bool_]) -> float:
    """Return the mean width of the strokes of a mask in pixels: twice its area by the pixels of its outline."""
    padded = np.pad(mask, 1)
    inner = padded[1:-1, 1:-1] & padded[:-2, 1:-1] & padded[2:, 1:-1] & padded[1:-1, :-2] & padded[1:-1, 2:]
    outline = int(mask.sum() - inner.sum())
    return 2 * float(mask.sum()) / max(outline, 1)


def _thickened(ink: NDArray[np.float32], scale: float, box: float) -> NDArray[np.float32]:
    """Return ink with strokes that are thick enough when they are scaled, on a canvas with a margin for that."""
    missing = THINNEST * box / scale - stroke_width(ink >= 0.5)
    steps = round(missing / 2)
    strong = np.pad(ink, max(steps, 0))
    for step in range(steps):  # squares and diamonds in turn make an octagon
        padded = np.pad(strong, 1)
        height, width = strong.shape
        moves = [(0, 1), (1, 0), (1, 2), (2, 1)] + ([(0, 0), (0, 2), (2, 0), (2, 2)] if step % 2 else [])
        for down, right in moves:
            np.maximum(strong, padded[down : down + height, right : right + width], out=strong)
    return strong


def _centred(digit: NDArray[np.uint8], height: int, width: int) -> NDArray[np.uint8]:
    """Put the digit's centre of mass on pixel (height / 2, width / 2), where MNIST has it: its test images' mean is
    (13.99, 14.01), not the geometric (13.5, 13.5), and half a pixel costs a point of accuracy.
    """
    row, column = _centre_of_mass(digit)
    top = int(np.clip(round(height / 2 - row), 0, height - digit.shape[0]))
    left = int(np.clip(round(width / 2 - column), 0, width - digit.shape[1]))
    canvas = np.zeros((height, width), np.uint8)
    canvas[top : top + digit.shape[0], left : left + digit.shape[1]] = digit
    return canvas


def _centre_of_mass(pixels: NDArray[np.uint8]) -> tuple[float, float]:
    weights = pixels.astype(np.float64)
    total = max(float(weights.sum()), 1.0)
    row = float((weights.sum(axis=1) * np.arange(pixels.shape[0])).sum()) / total
    column = float((weights.sum(axis=0) * np.arange(pixels.shape[1])).sum()) / total
    return row, column
