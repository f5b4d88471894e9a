"""The figures of docs/robustness.md: each command that measures some writes them between its own marks."""

from pathlib import Path

PAGE = Path(__file__).parents[1] / "docs" / "robustness.md"


def write(command: str, text: str, page: Path = PAGE) -> None:
    """Replace what stands between the marks of a command ("make fuzz")."""
    begin, end = (f"<!-- what '{command}' found: {which} -->" for which in ("begin", "end"))
    before, found, rest = page.read_text(encoding="utf-8").partition(begin)
    _, ends, after = rest.partition(end)
    if not (found and ends):
        raise ValueError(f"{page}: has no marks of '{command}'")
    page.write_text(f"{before}{begin}\n{text}\n{end}{after}", encoding="utf-8")


def as_table(headings: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    """Return a table of Markdown, all of its columns but the first aligned to the right."""
    lines = [headings, ("---", *["---:"] * (len(headings) - 1)), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
