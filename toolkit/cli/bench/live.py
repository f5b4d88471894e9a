"""The table that fills in while a benchmark measures."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from toolkit import units
from toolkit.cli.bench.tables import told_apart
from toolkit.console import Console, Standing, figure_columns, text_columns
from toolkit.step import OnStep, Step

if TYPE_CHECKING:
    from toolkit.bench.progress import BenchProgress


@contextmanager
def showing(console: Console) -> Iterator[OnStep]:
    """Show the table while the block runs. Yields what shows a step of ``api.bench``."""
    from toolkit.bench.progress import BenchProgress

    with console.live() as show_table:

        def show(step: Step) -> None:
            about = step.about
            if step.is_news:
                console.note(step.text)
            elif isinstance(about, BenchProgress):
                show_table(lambda: standing(about))
            else:
                show_table(lambda: Standing(step.done / step.total, step.text, (), ()))

        yield show


def standing(progress: "BenchProgress") -> Standing:
    """Return what a live table shows of a benchmark."""
    rows = progress.rows()
    varied, names = told_apart(rows)
    return Standing(
        done=progress.share,
        text="measuring" if progress.left_s is None else f"about {_whole_seconds(progress.left_s)} left",
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


def _whole_seconds(value_s: float) -> str:
    return units.seconds(value_s) if value_s >= 60 else f"{value_s:.0f} s"
