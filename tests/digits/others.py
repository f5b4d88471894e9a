"""What is no digit, in the form that a model sees: letters, shapes, clothes and noise."""

import string
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFilter, ImageFont

from tests.digits import scenes, sources
from toolkit import digits
from toolkit.data import fashion_mnist

SIDE = 28
Strokes = list[list[tuple[float, float]]]
# Letters that are none of the digits, in a box of 1 × 1: each stroke a list of (x, y).
LETTERS: dict[str, Strokes] = {
    "A": [[(0.1, 1), (0.5, 0), (0.9, 1)], [(0.28, 0.6), (0.72, 0.6)]],
    "E": [[(0.8, 0), (0.2, 0), (0.2, 1), (0.8, 1)], [(0.2, 0.5), (0.7, 0.5)]],
    "F": [[(0.8, 0), (0.2, 0), (0.2, 1)], [(0.2, 0.5), (0.7, 0.5)]],
    "H": [[(0.2, 0), (0.2, 1)], [(0.8, 0), (0.8, 1)], [(0.2, 0.5), (0.8, 0.5)]],
    "K": [[(0.2, 0), (0.2, 1)], [(0.8, 0), (0.2, 0.55), (0.8, 1)]],
    "M": [[(0.1, 1), (0.1, 0), (0.5, 0.6), (0.9, 0), (0.9, 1)]],
    "N": [[(0.15, 1), (0.15, 0), (0.85, 1), (0.85, 0)]],
    "P": [[(0.2, 1), (0.2, 0), (0.6, 0), (0.8, 0.15), (0.8, 0.35), (0.6, 0.5), (0.2, 0.5)]],
    "R": [[(0.2, 1), (0.2, 0), (0.6, 0), (0.8, 0.15), (0.8, 0.35), (0.6, 0.5), (0.2, 0.5)], [(0.5, 0.5), (0.85, 1)]],
    "T": [[(0.1, 0), (0.9, 0)], [(0.5, 0), (0.5, 1)]],
    "V": [[(0.1, 0), (0.5, 1), (0.9, 0)]],
    "W": [[(0.05, 0), (0.27, 1), (0.5, 0.3), (0.73, 1), (0.95, 0)]],
    "X": [[(0.1, 0), (0.9, 1)], [(0.9, 0), (0.1, 1)]],
    "Y": [[(0.1, 0), (0.5, 0.5), (0.9, 0)], [(0.5, 0.5), (0.5, 1)]],
}


def _corners(count: int, *, turned: float = 0.0, inner: float | None = None) -> Strokes:
    """The outline of a regular polygon, or of a star whose inner corners are at a radius."""
    angles = np.linspace(0, 2 * np.pi, count * (1 if inner is None else 2) + 1) - np.pi / 2 + turned
    radii = np.full(angles.size, 0.5)
    if inner is not None:
        radii[1::2] = inner
    return [list(zip(0.5 + radii * np.cos(angles), 0.5 + radii * np.sin(angles), strict=True))]


SHAPES: dict[str, Strokes] = {
    "triangle": _corners(3),
    "square": _corners(4, turned=np.pi / 4),
    "diamond": _corners(4),
    "star": _corners(5, inner=0.2),
    "plus": [[(0.5, 0), (0.5, 1)], [(0, 0.5), (1, 0.5)]],
    "arrow": [[(0, 0.5), (1, 0.5)], [(0.6, 0.15), (1, 0.5), (0.6, 0.85)]],
    "tick": [[(0, 0.5), (0.35, 1), (1, 0)]],
    "house": [[(0.1, 1), (0.1, 0.4), (0.5, 0), (0.9, 0.4), (0.9, 1), (0.1, 1)]],
    "zigzag": [[(0, 1), (0.25, 0), (0.5, 1), (0.75, 0), (1, 1)]],
    "hash": [[(0.3, 0), (0.3, 1)], [(0.7, 0), (0.7, 1)], [(0, 0.3), (1, 0.3)], [(0, 0.7), (1, 0.7)]],
}


def drawn(figures: dict[str, Strokes], rng: scenes.Random, each: int) -> Iterator[np.ndarray]:
    """Yield the ink of figures, each drawn several times, a little otherwise: as wide and slanted as the digits are."""
    for _ in range(each):
        for strokes in figures.values():
            yield _drawn(strokes, rng)


def _drawn(strokes: Strokes, rng: scenes.Random) -> np.ndarray:
    side, width = 200, int(rng.integers(6, 26))
    slant, stretch = rng.uniform(-0.15, 0.15), rng.uniform(0.85, 1.1)
    mask = Image.new("L", (2 * side, 2 * side), 0)
    for corners in strokes:
        points = np.array(corners, float)
        points += rng.normal(0, 0.01, points.shape)
        x = side / 2 + side * (points[:, 0] * stretch + slant * (1 - points[:, 1]))
        y = side / 2 + side * points[:, 1]
        line = list(zip(x.tolist(), y.tolist(), strict=True))
        ImageDraw.Draw(mask).line(line, fill=255, width=width, joint="curve")
    return sources.cut(np.asarray(mask.filter(ImageFilter.GaussianBlur(1))) / 255)


def printed(fonts: list[Path]) -> Iterator[np.ndarray]:
    """Yield the ink of all letters of fonts, also of those that look like digits."""
    for path in fonts:
        font = ImageFont.truetype(str(path), 220)
        for letter in string.ascii_letters:
            mask = Image.new("L", (400, 400), 0)
            ImageDraw.Draw(mask).text((200, 200), letter, font=font, fill=255, anchor="mm")
            yield sources.cut(np.asarray(mask) / 255)


def noise(rng: scenes.Random, count: int) -> np.ndarray:
    """Return noise of four kinds, (N, 28, 28): grey, black and white, in blots, and in a digit's box."""
    found = np.zeros((count, SIDE, SIDE), np.uint8)
    for row in range(count):
        if row % 4 == 0:
            found[row] = rng.integers(0, 256, (SIDE, SIDE))
        elif row % 4 == 1:
            found[row] = 255 * (rng.random((SIDE, SIDE)) < rng.uniform(0.05, 0.5))
        elif row % 4 == 2:
            small = Image.fromarray(rng.integers(0, 256, (7, 7)).astype(np.uint8))
            found[row] = np.asarray(small.resize((SIDE, SIDE), Image.Resampling.BICUBIC))
        else:
            found[row, 4:24, 4:24] = rng.integers(0, 256, (20, 20))
    return found


def clothes(count: int) -> np.ndarray | None:
    """Return test images of Fashion-MNIST; None if it is not on this machine."""
    path = fashion_mnist.locate()
    return None if path is None else fashion_mnist.load(path).test.images[:count, ..., 0]


def forms(inks: Iterator[np.ndarray], rng: scenes.Random) -> np.ndarray:
    """Return what a model sees of photos of single figures, (N, 28, 28), without those in which no digit is seen."""
    seen = []
    for ink in inks:
        page = digits.find(np.asarray(scenes.plain(ink, rng)))
        if page.refusal is None and len(page.digits) == 1:
            seen.append(digits.to_form(page.digits[0].ink, height=SIDE, width=SIDE))
    return np.stack(seen)


# How many images are made of each kind, and how.
def kinds(rng: scenes.Random, fonts: list[Path]) -> dict[str, Callable[[], np.ndarray | None]]:
    """Return what makes the images of each kind."""
    return {
        "letters, printed": lambda: forms(printed(fonts), rng),
        "letters, drawn by strokes": lambda: forms(drawn(LETTERS, rng, 20), rng),
        "shapes, drawn by strokes": lambda: forms(drawn(SHAPES, rng, 20), rng),
        "clothes (Fashion-MNIST's test images)": lambda: clothes(10_000),
        "noise": lambda: noise(rng, 1000),
    }
