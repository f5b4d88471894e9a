"""The parts of a page in Markdown that are more than text."""

from pathlib import Path

from toolkit.study.claims.base import Table
from toolkit.text import in_markdown


def image(path: Path, alt: str, folder: Path) -> str:
    """Return a picture, named from ``folder``."""
    return f"![{in_markdown(alt)}]({path.relative_to(folder).as_posix()})"


def table(figures: Table) -> str:
    """Return a table, whose cells are text alone."""
    cells = [[in_markdown(cell) for cell in row] for row in (figures.headings, *figures.rows)]
    cells.insert(1, ["---"] * len(figures.headings))
    return "\n".join(f"| {' | '.join(row)} |" for row in cells)
