"""A link as a QR code in a terminal, for the camera of a phone."""

import io
from typing import Any

from toolkit import extras

# What it is drawn with, and how wide its light border is, in modules (ISO/IEC 18004, quiet zone).
BLOCKS = "█▀▄ "
BORDER = 4


def draw(link: str) -> list[str]:
    """Return the lines of the code; its light modules are blocks, so that it is right on a dark terminal."""
    segno: Any = extras.load("segno")
    drawn = io.StringIO()
    segno.make(link, micro=False).terminal(drawn, compact=True, border=BORDER)
    return drawn.getvalue().splitlines()
