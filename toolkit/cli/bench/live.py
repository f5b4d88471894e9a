"""The table that fills in while a benchmark measures."""

from contextlib import AbstractContextManager
from typing import TYPE_CHECKING

from toolkit import units
from toolkit.cli.bench.tables import told_apart
from toolkit.console import Console, Standing, figure_columns, text_columns
from toolkit.step import OnStep, Step

if TYPE_CHECKING:
    from toolkit.bench.progress import BenchProgress


def show_live(console: Console) -> AbstractContextManager[OnStep]:
    """Show the table while the block runs. Yields what shows a step of ``api.bench``."""
    from toolkit.bench.progress import BenchProgress

    def at(step: Step) -> Standing:
        if isinstance(step.about, BenchProgress):
            return standing(step.about)
        return Standing(step.done / step.total, step.text, (), ())

    return console.live_steps(at)


def standing(progress: "BenchProgress") -> Standing:
    """Return what a live table shows of a benchmark."""
    rows = progress.rows()
    varied, names = told_apart(rows)
    left_s = progress.left_s or 0.0
    left = units.seconds(left_s) if left_s >= 60 else f"{left_s:.0f} s"
    return Standing(
        done=progress.share,
        text="measuring" if progress.left_s is None else f"about {left} left",
        columns=(
            *text_columns("artifact", "runtime"),
            *figure_columns(*varied, "median so far"),
            *text_columns("state"),
        ),
        rows=[
            (
                name,
                row.runtime,
                *values,
                "–" if row.median_s is None else units.seconds(row.median_s),
                row.state,
            )
            for (name, *values), row in zip(names, rows, strict=True)
        ],
    )
