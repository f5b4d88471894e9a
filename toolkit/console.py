"""The only printer: results to stdout (text and tables, or one JSON document), progress and warnings to stderr."""

import json
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TextIO

if TYPE_CHECKING:
    from rich.console import Console as RichConsole

# Wide enough for the widest table of toolkit when stdout is a file or a pipe, where there is no terminal to ask.
PLAIN_WIDTH = 160

# How a verdict looks. The words carry the meaning; the colours repeat it.
VERDICT_STYLES = {
    "pass": "green",
    "ok": "green",
    "faster": "green",
    "fail": "bold red",
    "broken": "bold red",
    "slower": "red",
    "inconclusive": "yellow",
}


@dataclass(frozen=True)
class Column:
    """A column of a table: its heading and whether it holds figures, which align right."""

    heading: str
    figures: bool = True


class Console:
    """Prints for one command: for a person, or, with ``json_output``, one document for a script."""

    def __init__(self, *, json_output: bool = False) -> None:
        self.json_output = json_output

    def text(self, text: str = "") -> None:
        """Print a line of the result for a person."""
        if not self.json_output:
            _rich(sys.stdout).print(text, markup=False, highlight=False, soft_wrap=True)

    def heading(self, text: str) -> None:
        """Print the heading of a part of the result."""
        if not self.json_output:
            _rich(sys.stdout).print(f"\n{text}", markup=False, highlight=False, style="bold")

    def table(self, columns: Sequence[Column], rows: Sequence[Sequence[str]]) -> None:
        """Print a table for a person; every row has one text per column."""
        if self.json_output:
            return
        from rich import box
        from rich.table import Table
        from rich.text import Text

        table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
        for column in columns:
            table.add_column(column.heading, justify="right" if column.figures else "left", no_wrap=column.figures)
        for row in rows:
            table.add_row(*(Text(cell, style=VERDICT_STYLES.get(cell, "")) for cell in row))
        # At its natural width: a terminal that is too narrow wraps lines, where rich would cut figures off.
        console = _rich(sys.stdout)
        console.width = max(console.width, PLAIN_WIDTH)
        console.print(table)

    def document(self, document: dict[str, Any]) -> None:
        """Print the JSON document of the command, where JSON was asked for."""
        if self.json_output:
            sys.stdout.write(json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False) + "\n")
            sys.stdout.flush()

    def note(self, text: str) -> None:
        """Print a line about what is going on to stderr."""
        _rich(sys.stderr).print(text, markup=False, highlight=False, soft_wrap=True, style="dim")

    def warn(self, text: str) -> None:
        """Print a warning to stderr."""
        _rich(sys.stderr).print(f"warning: {text}", markup=False, highlight=False, soft_wrap=True, style="yellow")

    def error(self, text: str) -> None:
        """Print an error to stderr, as one line."""
        line = " ".join(text.split())
        _rich(sys.stderr).print(f"error: {line}", markup=False, highlight=False, soft_wrap=True, style="bold red")

    @contextmanager
    def progress(self, total: int, what: str, *, done: int = 0) -> Iterator[Callable[[int, str], None]]:
        """Show a bar with an ETA on stderr while the block runs, or nothing where stderr is no terminal.

        Yields ``advance(steps_done, text)``.
        """
        if not sys.stderr.isatty():
            yield lambda steps, text: None
            return
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            TextColumn("{task.fields[text]}"),
        )
        with Progress(*columns, console=_rich(sys.stderr), transient=True) as bars:
            task = bars.add_task(what, total=total, completed=done, text="")
            yield lambda steps, text: bars.update(task, completed=steps, text=text)


def _rich(stream: TextIO) -> "RichConsole":
    from rich.console import Console as RichConsole

    return RichConsole(file=stream, width=None if stream.isatty() else PLAIN_WIDTH)
