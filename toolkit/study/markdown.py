"""The parts of a page in Markdown that are more than text."""

from pathlib import Path

from toolkit.study.claims.base import Table


def image(path: Path, alt: str, folder: Path) -> str:
    """Return a picture, named from ``folder``."""
    return f"![{alt}]({path.relative_to(folder).as_posix()})"


def table(figures: Table) -> str:
    """Return a table."""
    rows = [figures.headings, tuple("---" for _ in figures.headings), *figures.rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in rows)
