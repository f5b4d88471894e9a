"""A picture of how a photo was read: paper, ink, patches, what the model saw, and its probabilities."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from toolkit import extras, units
from toolkit.digits.page import Page
from toolkit.drawing import COLOURS, FAINT, INK
from toolkit.text import printable

# Pixels: of a panel's longer side, of what the model saw, between things, of a line of text, and of the longest bar.
PANEL, SEEN, GAP, LINE, BAR = 320, 170, 12, 17, 240
# A digit's bars: so many classes, the likeliest.
MOST_CLASSES = 10


@dataclass(frozen=True)
class ReadDigit:
    """What was read of one digit. seen: (H, W) or (H, W, 3) uint8; classes and probabilities: the likeliest first."""

    seen: NDArray[np.uint8]
    classes: Sequence[str]
    probabilities: Sequence[float]


def draw(photo: NDArray[np.uint8], page: Page | None, reads: Sequence[ReadDigit], *, refusal: str | None) -> Any:
    """Return a Pillow image.

    photo: (H, W) or (H, W, 3), shown alone if no digit was looked for. reads: of the page's digits, in their order;
    refusal: why there is none.
    """
    panels = [("photo", photo)]
    if page is not None:
        panels = [
            ("photo", page.grey),
            ("paper", page.paper),
            ("ink", (255 - np.rint(page.strength * 255)).astype(np.uint8)),
            ("patches: digits in colour, others grey", _patches(page)),
        ]
    pil: Any = extras.load("PIL.Image")
    drawing: Any = extras.load("PIL.ImageDraw")
    scale = PANEL / max(panels[0][1].shape[:2])
    height, width = (max(1, round(side * scale)) for side in panels[0][1].shape[:2])
    row = max(SEEN, LINE * MOST_CLASSES) + GAP
    column = max(width, PANEL) + GAP
    wide = GAP + max(len(panels) * column, SEEN + BAR + 3 * PANEL)
    picture = pil.new("RGB", (wide, 2 * GAP + LINE + height + GAP + max(len(reads) * row, 2 * LINE)), "white")
    pen = drawing.Draw(picture)
    font = extras.load("PIL.ImageFont").load_default(13)
    for number, (title, pixels) in enumerate(panels):
        left, top = GAP + number * column, GAP + LINE
        pen.text((left, GAP), title, fill=INK, font=font)
        picture.paste(pil.fromarray(pixels).convert("RGB").resize((width, height), pil.Resampling.BOX), (left, top))
        pen.rectangle((left, top, left + width, top + height), outline=FAINT)
    top = 2 * GAP + LINE + height
    if page is not None:
        _boxes(pen, page, scale, font)
    if refusal is not None:
        pen.text((GAP, top), printable(refusal), fill=INK, font=font)
    for number, read in enumerate(reads):
        seen = pil.fromarray(read.seen).convert("RGB").resize((SEEN, SEEN), pil.Resampling.NEAREST)
        picture.paste(seen, (GAP, top + number * row))
        _bars(pen, read, (2 * GAP + SEEN, top + number * row), COLOURS[number % len(COLOURS)], font)
    return picture


def _patches(page: Page) -> NDArray[np.uint8]:
    """Return the ink by what it is taken for, (H, W, 3)."""
    colours = np.array([[int(colour[i : i + 2], 16) for i in (1, 3, 5)] for colour in COLOURS], np.uint8)
    drawn = np.full((*page.owner.shape, 3), 255, np.uint8)
    drawn[page.owner < 0] = 200
    digits = page.owner > 0
    drawn[digits] = colours[(page.owner[digits] - 1) % len(colours)]
    return drawn


def _boxes(pen: Any, page: Page, scale: float, font: Any) -> None:
    for number, digit in enumerate(page.digits):
        box, colour = digit.box, COLOURS[number % len(COLOURS)]
        times = scale / page.times
        left, top = GAP + box.left * times - 2, GAP + LINE + box.top * times - 2
        pen.rectangle((left, top, GAP + box.right * times + 2, GAP + LINE + box.bottom * times + 2), outline=colour)
        pen.text((left + 2, top), str(number + 1), fill=colour, font=font, stroke_width=2, stroke_fill="white")


def _bars(pen: Any, read: ReadDigit, corner: tuple[int, int], colour: str, font: Any) -> None:
    left, top = corner
    for name, probability in list(zip(read.classes, read.probabilities, strict=True))[:MOST_CLASSES]:
        length = round(BAR * min(max(probability, 0.0), 1.0))
        pen.rectangle((left, top + 2, left + length, top + LINE - 3), fill=colour)
        pen.text((left + length + 6, top), f"{printable(name)}  {units.percent(probability)}", fill=INK, font=font)
        top += LINE
