"""The form of MNIST: light ink on black, in a box of 20 of 28 pixels, centred by mass."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from toolkit import extras, images

# MNIST's digits were scaled to fit a box of 20 pixels in an image of 28 (http://yann.lecun.com/exdb/mnist).
BOX_SHARE = 20 / 28
# How far from the centre the centre of mass may be in an image that is taken as it is, in pixels: MNIST's are rounded.
OFF_CENTRE = 1.0
# Ink fainter than this share of the strongest is the blur around a stroke.
FAINT = 0.25
# A drawing program's canvas has one shade along this share of its border at least.
PURE_BORDER = 0.75
# Columns that a digit's axis may go to the right for each row down: upright, or slanted as MNIST's are. Tried on
# 610 digits of its validation images with the ranges -0.3 to 0 and -0.25 to -0.05, between which this one lies: no more
# upright ones were read wrong, and fewer of those turned by up to 25°.
SLANTS = (-0.25, 0.0)
# A digit of a photo is looked at as it is and turned by so many degrees: nothing says how the paper was held. Of 2,210
# digits (MNIST's validation images, drawn and printed) turned by up to 25°, one answer is wrong for 79, the mean of the
# three for 61, and for 38 if it is weighted by how well each look resembles its class (``Judge.weights``). Of 737 of
# them upright: for 11, 10 and 9. Turns by 16° and 20° give means that are wrong for 71 and 66.
TURNS = (0.0, 24.0, -24.0)
# Strokes thinner than this share of the box are drawn thicker: in MNIST they are about an eighth of it, and a model has
# never seen the hair line that a pen makes of a large digit.
THINNEST = 1 / 10


def is_mnist(pixels: NDArray[np.uint8], *, height: int, width: int) -> bool:
    """Say whether (H, W) pixels have MNIST's form already: size, black border, size of the digit and its place."""
    if pixels.shape != (height, width) or min(height, width) < 3:
        return False
    if images.border(pixels).any() or not pixels.any():
        return False
    digit = pixels[_box(pixels)]
    fills = max(digit.shape[0] / height, digit.shape[1] / width) / BOX_SHARE
    row, column = _centre_of_mass(pixels)
    centred = abs(row - height / 2) <= OFF_CENTRE and abs(column - width / 2) <= OFF_CENTRE
    return bool(abs(fills - 1) <= 1.5 / min(height, width) / BOX_SHARE and centred)


def canvas_ink(pixels: NDArray[np.uint8], *, height: int, width: int) -> NDArray[np.float32] | None:
    """Return the ink of a drawing of the model's size on pure black or white, cut to it; None for another page."""
    border = images.border(pixels)
    paper = int(np.median(border))
    if pixels.shape != (height, width) or paper not in (0, 255) or (border == paper).mean() < PURE_BORDER:
        return None
    ink = np.abs(pixels.astype(np.float32) - paper)
    ink /= max(float(ink.max()), 1.0)
    seen = ink >= FAINT
    return ink[_box(seen)] if seen.any() else None


def looks(ink: NDArray[np.float32], *, height: int, width: int) -> NDArray[np.uint8]:
    """Bring the ink of one digit to the form as ``to_form`` does, as it is and turned: (TURNS, height, width) uint8."""
    pil: Any = extras.load("PIL.Image")
    grey = pil.fromarray(np.rint(ink * 255).astype(np.uint8))
    turned = (np.asarray(grey.rotate(turn, pil.Resampling.BILINEAR, expand=True), np.float32) for turn in TURNS[1:])
    inks = [ink, *(one[_box(one >= FAINT * 255)] / np.float32(255) for one in turned)]
    return np.stack([to_form(one, height=height, width=width) for one in inks])


def _box(pixels: NDArray[Any]) -> tuple[slice, slice]:
    """Return the rows and the columns from the first to the last pixel that is not 0."""
    rows, columns = np.flatnonzero(pixels.any(axis=1)), np.flatnonzero(pixels.any(axis=0))
    return slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)


def to_form(ink: NDArray[np.float32], *, height: int, width: int) -> NDArray[np.uint8]:
    """Bring the ink of one digit, (H, W) in [0, 1] and cut to its box, to the form: (height, width) uint8."""
    ink = _upright(ink)
    scale = min(height * BOX_SHARE / ink.shape[0], width * BOX_SHARE / ink.shape[1])
    strong = _thickened(ink, scale, min(height, width) * BOX_SHARE)
    strong = strong[_box(strong)]
    scale = min(height * BOX_SHARE / strong.shape[0], width * BOX_SHARE / strong.shape[1])
    size = (max(1, round(strong.shape[0] * scale)), max(1, round(strong.shape[1] * scale)))
    pil: Any = extras.load("PIL.Image")
    grey = pil.fromarray(np.rint(strong * 255).astype(np.uint8))
    digit = np.asarray(grey.resize(size[::-1], pil.Resampling.BICUBIC), np.float32)
    # Thin strokes lose strength if they are shrunk.
    digit = np.clip(digit * (255 / max(float(digit.max()), 1.0)), 0, 255)
    return _centred(np.rint(digit).astype(np.uint8), height, width)


def _upright(ink: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return ink sheared so that its axis, by its second moments, has one of SLANTS; what has one stays what it is."""
    row, column = _centre_of_mass(ink)
    down, right = np.arange(ink.shape[0]) - row, np.arange(ink.shape[1]) - column
    slant = float(down @ ink @ right) / max(float((down**2) @ ink.sum(axis=1)), 1.0)
    excess = slant - min(max(slant, SLANTS[0]), SLANTS[1])
    if round(excess * ink.shape[0]) == 0:
        return ink
    pil: Any = extras.load("PIL.Image")
    room = 1 + int(abs(excess) * ink.shape[0])
    grey = pil.fromarray(np.pad(np.rint(ink * 255).astype(np.uint8), ((0, 0), (room, room))))
    to = (1.0, excess, -excess * row, 0.0, 1.0, 0.0)
    sheared = np.asarray(grey.transform(grey.size, pil.Transform.AFFINE, to, pil.Resampling.BILINEAR), np.float32)
    _, columns = _box(sheared >= FAINT * 255)
    return sheared[:, columns] / np.float32(255)


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


def _centre_of_mass(pixels: NDArray[Any]) -> tuple[float, float]:
    weights = pixels.astype(np.float64)
    total = max(float(weights.sum()), 1.0)
    row = float((weights.sum(axis=1) * np.arange(pixels.shape[0])).sum()) / total
    column = float((weights.sum(axis=0) * np.arange(pixels.shape[1])).sum()) / total
    return row, column
