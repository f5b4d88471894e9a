"""The only printer: results to stdout (text and tables, or one JSON document), progress and warnings to stderr.

What it is given may come from anywhere, so nothing of it steers the terminal.
"""

import re
import sys
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TextIO, cast

from toolkit.step import OnStep, Step
from toolkit.text import printable, to_json, write_plainly

if TYPE_CHECKING:
    from rich.console import Console as RichConsole
    from rich.console import RenderableType
    from rich.table import Table

# Wide enough for the widest table of toolkit when stdout is a file or a pipe, if there is no terminal to ask.
PLAIN_WIDTH = 160

# A word of a message that is longer than any name of a file (255 bytes).
_ENDLESS = re.compile(r"[^\s/\\'\":]{300,}")
# Characters of a line on stderr: a message may show what a file holds.
_LONGEST_LINE = 10_000

# A live table is drawn again after this many seconds at the earliest, and takes at most this share of the time: a
# picture takes 10 to 40 ms of a PC, and more of a Raspberry Pi.
LIVE_S, LIVE_SHARE = 0.5, 0.05

# How a verdict looks. The words carry the meaning; the colours repeat it.
VERDICT_STYLES = {
    "pass": "green",
    "ok": "green",
    "faster": "green",
    "fail": "bold red",
    "broken": "bold red",
    "slower": "red",
    "inconclusive": "yellow",
    "failed": "bold red",
    "finished": "green",
    "running": "bold",
    "diverged": "red",
    "crashed": "bold red",
}


@dataclass(frozen=True)
class Column:
    """A column of a table: its heading and whether it holds figures, which align right."""

    heading: str
    figures: bool = True


def text_columns(*headings: str) -> tuple[Column, ...]:
    """Return columns of text."""
    return tuple(Column(heading, figures=False) for heading in headings)


def figure_columns(*headings: str) -> tuple[Column, ...]:
    """Return columns of figures."""
    return tuple(Column(heading) for heading in headings)


@dataclass(frozen=True)
class Standing:
    """What a live table shows at one time. done: in [0, 1], the length of the bar; text: what stands beside it."""

    done: float
    text: str
    columns: Sequence[Column]
    rows: Sequence[Sequence[str]]


class Console:
    """Prints for one command: for a person, or, with ``json_output``, one document for a script."""

    def __init__(self, *, json_output: bool = False) -> None:
        self.json_output = json_output

    def text(self, text: str = "") -> None:
        """Print a line of the result for a person."""
        if not self.json_output:
            with _named():
                _rich(sys.stdout).print(printable(text), markup=False, highlight=False, soft_wrap=True)

    def legend(self, lines: str) -> None:
        """Print the lines that explain a table."""
        for line in lines.splitlines():
            self.text(line)

    def heading(self, text: str) -> None:
        """Print the heading of a part of the result."""
        if not self.json_output:
            with _named():
                _rich(sys.stdout).print(f"\n{printable(text)}", markup=False, highlight=False, style="bold")

    def table(self, columns: Sequence[Column], rows: Sequence[Sequence[str]]) -> None:
        """Print a table for a person; every row has one text per column."""
        if self.json_output:
            return
        # At its natural width: a terminal that is too narrow wraps lines, where rich would cut figures off.
        console = _rich(sys.stdout)
        console.width = max(console.width, PLAIN_WIDTH)
        with _named():
            console.print(_table(columns, rows))

    def document(self, document: dict[str, Any]) -> None:
        """Print the JSON document of the command, where JSON was asked for."""
        if self.json_output:
            with _named():
                sys.stdout.write(to_json(document, encoding=sys.stdout.encoding or "ascii"))
                sys.stdout.flush()

    def note(self, text: str) -> None:
        """Print a line about what is going on to stderr."""
        _line_on_stderr(text, style="dim")

    def warn(self, text: str) -> None:
        """Print a warning to stderr."""
        _line_on_stderr(f"warning: {text}", style="yellow")

    def error(self, text: str) -> None:
        """Print an error to stderr, as one line."""
        _line_on_stderr(f"error: {' '.join(text.split())}", style="bold red")

    def traceback(self, error: BaseException) -> None:
        """Print where an error came from to stderr."""
        for line in "".join(traceback.format_exception(error)).splitlines():
            _line_on_stderr(line)

    @contextmanager
    def steps(self, what: str) -> Iterator[OnStep]:
        """Show a bar with an ETA on stderr while the block runs, or only the news where stderr is no terminal.

        Yields what shows a step.
        """
        if not sys.stderr.isatty():
            yield lambda step: self.note(step.text) if step.is_news else None
            return
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        columns = (
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            TextColumn("{task.fields[text]}", markup=False),
        )
        with Progress(*columns, console=_rich(sys.stderr), transient=True) as bars:
            task = bars.add_task(printable(what), total=None, text="")

            def show(step: Step) -> None:
                if step.is_news:
                    self.note(step.text)
                else:
                    bars.update(task, completed=step.done, total=step.total, text=printable(step.text))

            yield show

    @contextmanager
    def live(
        self, *, clock: Callable[[], float] = time.monotonic
    ) -> Iterator[Callable[[Callable[[], Standing]], None]]:
        """Show a bar and a table on stderr while the block runs, or nothing where stderr is no terminal.

        Yields ``show(standing)``, which asks for a standing and draws it if the last picture is old enough. Nothing
        is drawn in between, but lines on stderr, above it: no thread disturbs what is measured.
        """
        if not sys.stderr.isatty():
            yield lambda standing: None
            return
        from rich.live import Live

        due_s = 0.0

        def show(standing: Callable[[], Standing]) -> None:
            nonlocal due_s
            start_s = clock()
            if start_s >= due_s:
                live.update(_picture(standing()), refresh=True)
                due_s = start_s + max(LIVE_S, (clock() - start_s) / LIVE_SHARE)

        with Live(
            console=_rich(sys.stderr),
            auto_refresh=False,
            transient=True,
            redirect_stdout=False,
        ) as live:
            yield show

    @contextmanager
    def live_steps(self, standing: Callable[[Step], Standing]) -> Iterator[OnStep]:
        """Show a live table of steps while the block runs, and the news as lines. Yields what shows a step."""
        with self.live() as show_table:
            yield lambda step: self.note(step.text) if step.is_news else show_table(lambda: standing(step))


def _table(columns: Sequence[Column], rows: Sequence[Sequence[str]]) -> "Table":
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for column in columns:
        justify: Literal["left", "right"] = "right" if column.figures else "left"
        table.add_column(Text(printable(column.heading)), justify=justify, no_wrap=column.figures)
    for row in rows:
        # A verdict may have its reason behind a colon.
        cells = [printable(cell) for cell in row]
        table.add_row(*(Text(cell, style=VERDICT_STYLES.get(cell.partition(":")[0], "")) for cell in cells))
    return table


def _picture(standing: Standing) -> "RenderableType":
    from rich.console import Group
    from rich.progress_bar import ProgressBar
    from rich.table import Table
    from rich.text import Text

    line = Table.grid(padding=(0, 2))
    line.add_row(ProgressBar(total=1.0, completed=standing.done, width=30), Text(printable(standing.text)))
    table = _table(standing.columns, standing.rows)
    for position, column in enumerate(table.columns):
        column.no_wrap = True
        if column is not table.columns[-1]:  # that one gives way: it may hold a long reason
            cells = [printable(row[position]) for row in standing.rows]
            column.min_width = max(len(cell) for cell in (standing.columns[position].heading, *cells))
    # The cursor waits on an empty line: where the terminal writes ^C there, no line breaks.
    return Group(line, table, Text())


def _line_on_stderr(text: str, *, style: str | None = None) -> None:
    text = _ENDLESS.sub(lambda word: f"{word[0][:40]}… ({len(word[0]):,} characters)", text)
    if len(text) > _LONGEST_LINE:
        text = f"{text[:_LONGEST_LINE]}… ({len(text):,} characters)"
    _rich(sys.stderr).print(printable(text), markup=False, highlight=False, soft_wrap=True, style=style)


def _rich(stream: TextIO) -> "RichConsole":
    from rich.console import Console as RichConsole

    write_plainly(stream)
    file = cast("TextIO", _Unfailing(stream)) if stream is sys.stderr else stream
    return RichConsole(file=file, width=None if stream.isatty() else PLAIN_WIDTH)


@contextmanager
def _named() -> Iterator[None]:
    """Name the standard output in an OSError of the block, as a full disk or a lost terminal is one."""
    try:
        yield
    except OSError as error:
        error.filename = "standard output"
        raise


class _Unfailing:
    """A stream of what nobody has to read. What cannot be written to it, for whatever reason, is dropped."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def write(self, text: str) -> int:
        with suppress(OSError):
            self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        with suppress(OSError):
            self._stream.flush()
