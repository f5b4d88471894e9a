"""The part of docs/robustness.md that tells of the last kills."""

from collections.abc import Mapping
from pathlib import Path

from tests.kill.campaign import Tally
from tests.kill.verbs import Verb
from toolkit import host

PAGE = Path(__file__).parents[2] / "docs" / "robustness.md"
BEGIN, END = "<!-- what 'make kill' found: begin -->", "<!-- what 'make kill' found: end -->"
HEADINGS = (
    "verb",
    "writes",
    "kills at writes",
    "kills at random",
    "run again",
    "apart until then",
    "lost",
    "left over",
)


def render(tallies: Mapping[Verb, Tally], *, seconds: float, seed: int) -> str:
    """Return the figures of all verbs as Markdown."""
    figures = {f"`{verb.name}`": _figures(tally) for verb, tally in tallies.items()}
    total = [sum(column) for column in zip(*figures.values(), strict=True)]
    rows = [(name, *(f"{one:,}" for one in row)) for name, row in (*figures.items(), ("all", total))]
    machine = host.describe()
    lines = [
        f"| {' | '.join(HEADINGS)} |",
        f"| --- |{' ---: |' * (len(HEADINGS) - 1)}",
        *(f"| {' | '.join(row)} |" for row in rows),
        "",
        f"{total[1] + total[2]:,} kills in {seconds:.0f} s (seed {seed}), {total[-2]} lost, {total[-1]} left over; "
        f"{machine.cpu}, {machine.cores} cores.",
    ]
    return "\n".join(lines)


def _figures(tally: Tally) -> tuple[int, ...]:
    """Return the columns of a verb."""
    return tally.writes, tally.at_writes, tally.at_random, tally.again, tally.apart, len(tally.lost), len(tally.left)


def write(text: str) -> None:
    """Put the figures between the marks of the page."""
    before, _, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
    _, _, after = rest.partition(END)
    PAGE.write_text(f"{before}{BEGIN}\n{text}\n{END}{after}", encoding="utf-8")
