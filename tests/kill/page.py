"""The part of docs/robustness.md that tells of the last kills."""

from collections.abc import Mapping

from tests.kill.campaign import Tally
from tests.kill.verbs import Verb
from tests.robustness import as_table
from toolkit import host

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
    summary = (
        f"{total[1] + total[2]:,} kills in {seconds:.0f} s (seed {seed}), {total[-2]} lost, {total[-1]} left over; "
        f"{machine.cpu}, {machine.cores} cores."
    )
    return f"{as_table(HEADINGS, rows)}\n\n{summary}"


def _figures(tally: Tally) -> tuple[int, ...]:
    """Return the columns of a verb."""
    return tally.writes, tally.at_writes, tally.at_random, tally.again, tally.apart, len(tally.lost), len(tally.left)
