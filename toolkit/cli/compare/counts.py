"""Prints what two artifacts execute: ``toolkit compare --instructions``."""

from typing import TYPE_CHECKING

from toolkit import units
from toolkit.cli.bench.tables import NAME_COLUMNS
from toolkit.console import Column, Console

if TYPE_CHECKING:
    from toolkit.bench.instructions.versus import Counts

COLUMNS = (*NAME_COLUMNS, Column("instructions"), Column("change"))


def report(console: Console, counts: "Counts") -> None:
    """Print the instructions of both, and what they come to."""
    names = units.short_names([counts.reference, counts.candidate])
    if counts.counted is None:
        console.text(f"{names[0]} and {names[1]} are the same file, by their digests: there is nothing to count")
        return
    changes = ("reference", units.percent(counts.ratio - 1, "+.2f"))
    console.table(
        COLUMNS,
        [
            (name, one.runtime, f"{one.count:,}", change)
            for name, one, change in zip(names, counts.counted, changes, strict=True)
        ],
    )
    console.text(f"instructions of one inference, counted by {counts.counted[0].where}")
    for remark in counts.remarks:
        console.warn(remark)
    bound = "at most" if counts else "more than"
    console.text(f"{names[1]} executes {bound} {100 * counts.tolerance:g} % more than {names[0]}")
