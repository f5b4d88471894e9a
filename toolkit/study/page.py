"""The parts of a page, which are rendered as Markdown and as HTML."""

from dataclasses import dataclass
from pathlib import Path

from toolkit.study.claims.base import Table


@dataclass(frozen=True)
class Heading:
    """A heading; level 1 is the title."""

    level: int
    text: str


@dataclass(frozen=True)
class Paragraph:
    """A paragraph of plain text; what stands between backticks is code."""

    text: str


@dataclass(frozen=True)
class Image:
    """A picture, an SVG file with a PNG file of the same name beside it."""

    path: Path
    alt: str


Block = Heading | Paragraph | Image | Table
