"""A page as Markdown, with its pictures beside it."""

from collections.abc import Sequence
from pathlib import Path

from toolkit.study.claims.base import Table
from toolkit.study.page import Block, Heading, Image


def render(blocks: Sequence[Block], folder: Path) -> str:
    """Return the page; pictures are named from ``folder``."""
    return "\n\n".join(_block(block, folder) for block in blocks) + "\n"


def _block(block: Block, folder: Path) -> str:
    if isinstance(block, Heading):
        return f"{'#' * block.level} {block.text}"
    if isinstance(block, Image):
        return f"![{block.alt}]({block.path.with_suffix('.png').relative_to(folder).as_posix()})"
    if isinstance(block, Table):
        rows = [block.headings, tuple("---" for _ in block.headings), *block.rows]
        return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in rows)
    return block.text
