"""Digits that no model of this project was trained on, as ink: (side, side) in [0, 1], cut to the digit."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFilter, ImageFont

FONTS = Path("/usr/share/fonts/truetype")
# Strokes of each digit, in a box of 1 × 1: each a list of (x, y); arcs are sampled by `_arc`.
STROKES: dict[int, list[list[tuple[float, ...]]]] = {
    0: [[(0.5, 0.5, 0.3, 0.5, 0, 360)]],
    1: [[(0.3, 0.2), (0.55, 0.0), (0.55, 1.0)]],
    2: [[(0.5, 0.28, 0.33, 0.28, 200, 390), (0.2, 1.0), (0.85, 1.0)]],
    3: [[(0.45, 0.25, 0.33, 0.25, 200, 450), (0.45, 0.75, 0.36, 0.25, 270, 510)]],
    4: [[(0.55, 0.0), (0.15, 0.65), (0.85, 0.65)], [(0.68, 0.35), (0.65, 1.0)]],
    5: [[(0.8, 0.0), (0.25, 0.0), (0.2, 0.45), (0.45, 0.7, 0.33, 0.3, 240, 510)]],
    6: [[(0.75, 0.0), (0.4, 0.25), (0.2, 0.65), (0.5, 0.72, 0.3, 0.28, 180, 540)]],
    7: [[(0.15, 0.0), (0.85, 0.0), (0.4, 1.0)]],
    8: [[(0.5, 0.24, 0.26, 0.24, 90, 450), (0.5, 0.74, 0.32, 0.26, 270, 630)]],
    9: [[(0.5, 0.28, 0.3, 0.28, 0, 360), (0.8, 0.28), (0.7, 1.0)]],
}


def mnist(images: np.ndarray, labels: np.ndarray) -> Iterator[tuple[int, np.ndarray]]:
    """Yield labels and ink of MNIST's images: eight times as large, with edges as sharp as those of a pen."""
    for image, label in zip(images, labels, strict=True):
        large = Image.fromarray(image.reshape(28, 28)).resize((224, 224), Image.Resampling.BICUBIC)
        yield int(label), cut(np.clip((np.asarray(large) / 255 - 0.5) * 3 + 0.5, 0, 1))


def drawn(rng: np.random.Generator, count: int) -> Iterator[tuple[int, np.ndarray]]:
    """Yield labels and ink of digits that are drawn by strokes, each a little otherwise."""
    for row in range(count):
        label, side, width = row % 10, 200, int(rng.integers(6, 26))
        slant, stretch = rng.uniform(-0.15, 0.15), rng.uniform(0.85, 1.1)
        mask = Image.new("L", (2 * side, 2 * side), 0)
        for stroke in STROKES[label]:
            points = np.array([point for part in stroke for point in _points(part)])
            points += rng.normal(0, 0.006, points.shape)
            x = side / 2 + side * (points[:, 0] * stretch + slant * (1 - points[:, 1]))
            y = side / 2 + side * points[:, 1]
            line = list(zip(x.tolist(), y.tolist(), strict=True))
            ImageDraw.Draw(mask).line(line, fill=255, width=width, joint="curve")
        yield label, cut(np.asarray(mask.filter(ImageFilter.GaussianBlur(1))) / 255)


def printed(fonts: list[Path]) -> Iterator[tuple[int, np.ndarray]]:
    """Yield labels and ink of the digits of fonts."""
    for path in fonts:
        font = ImageFont.truetype(str(path), 220)
        for label in range(10):
            mask = Image.new("L", (400, 400), 0)
            ImageDraw.Draw(mask).text((200, 200), str(label), font=font, fill=255, anchor="mm")
            yield label, cut(np.asarray(mask) / 255)


def _points(part: tuple[float, ...]) -> list[tuple[float, float]]:
    if len(part) == 2:
        return [(part[0], part[1])]
    x, y, across, down, start, end = part
    angles = np.deg2rad(np.arange(start, end + 1, 10))
    return [(x + across * np.cos(a), y + down * np.sin(a)) for a in angles]


def cut(ink: np.ndarray) -> np.ndarray:
    rows, columns = np.flatnonzero((ink > 0.1).any(axis=1)), np.flatnonzero((ink > 0.1).any(axis=0))
    return ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1].astype(np.float32)
