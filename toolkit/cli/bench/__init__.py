"""``toolkit bench``: measure artifacts here."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from toolkit import api
from toolkit.cli.bench import ending, live, tables, tuned, why
from toolkit.cli.options import (
    BENCHMARKS,
    OUTPUT,
    LoadingOptions,
    MeasuringOptions,
    Paths,
    Printer,
    Records,
    Runtime,
    option,
)
from toolkit.console import Console
from toolkit.errors import UsageError

if TYPE_CHECKING:
    from toolkit.bench.advice import Requirements
    from toolkit.bench.plan import PlanOptions
    from toolkit.bench.record import Record

_recommended = partial(option, "What is recommended")
_besides = partial(option, "What else is measured")

# Seconds and processes of --thorough.
THOROUGH = (10.0, 10)

Shapes = Annotated[
    list[str] | None,
    typer.Option(
        "--shape",
        help="An input with more sizes free than the batch, as NAME:1,3,224,224. Give it once for each input.",
    ),
]
Strict = Annotated[bool, option(OUTPUT, "Exit with 1 if something disturbed the machine during a block.", "--strict")]


@dataclass(frozen=True)
class PlanningOptions(MeasuringOptions):
    """What is measured, and how long."""

    thorough: Annotated[
        bool, typer.Option("--thorough", help="Measure each configuration 10 seconds in 10 processes.")
    ] = False
    threads: Annotated[str, typer.Option(help="Threads of the runtime; several numbers with commas.")] = "1"
    batch: Annotated[str, typer.Option(help="Images per inference; several numbers with commas.")] = "1"
    rate: Annotated[
        float | None, typer.Option(help="Also measure at the pace of a camera: so many images a second.")
    ] = None

    @property
    def plan(self) -> "PlanOptions":
        """The same as numbers."""
        seconds, processes = THOROUGH if self.thorough else (self.seconds, self.processes)
        return {
            "threads": _numbers(self.threads, "--threads"),
            "batches": _numbers(self.batch, "--batch"),
            "seconds": seconds,
            "processes": processes,
            "rate": self.rate,
            "seed": self.seed,
        }


@dataclass(frozen=True)
class BudgetOptions:
    """What may be recommended."""

    max_latency: Annotated[str | None, _recommended("The longest median latency of one inference: 5ms, 80us.")] = None
    max_size: Annotated[str | None, _recommended("The largest file: 500kB, 1MB.")] = None
    min_accuracy: Annotated[float | None, _recommended("The lowest accuracy, in percent.")] = None

    @property
    def budgets(self) -> "Requirements":
        """The same as numbers."""
        from toolkit.bench.advice import Requirements

        return Requirements.parse(self.max_latency, self.max_size, self.min_accuracy)


@dataclass(frozen=True)
class MoreOptions:
    """What is asked for besides latencies."""

    explain: Annotated[
        bool, _besides("Also show operators, their times, and the share of what the CPU can do.", "--explain")
    ] = False
    instructions: Annotated[
        bool, _besides("Also count the instructions of an inference, which no other program changes.", "--instructions")
    ] = False
    tune: Annotated[
        bool, _besides("Also try the runtimes' settings, and show the line of code that sets what wins.", "--tune")
    ] = False


def command(
    *,
    paths: Paths = None,
    planning: PlanningOptions,
    shape: Shapes = None,
    runtime: Runtime = None,
    strict: Strict = False,
    recommended: BudgetOptions,
    code: LoadingOptions,
    more: MoreOptions,
    output: Records = BENCHMARKS,
    console: Printer,
) -> int:
    """Time artifacts, anybody's, and say which one to ship.

    The exit code is 1 if an artifact cannot be measured, or if none fits what may be recommended.
    """
    plan: PlanOptions = {**planning.plan, "budgets": recommended.budgets}
    shapes = shapes_of(shape)
    with live.show_live(console) as show:
        record = api.bench(
            *(paths or ()),
            output=output,
            shapes=shapes,
            **code.arguments,
            runtime=runtime,
            on_step=show,
            **vars(more),
            **plan,
        )
    ending.require_results(record)
    report(console, record, everything=more.explain)
    tables.recommend(console, record)
    console.document(record.to_json())
    return ending.exit_code(record, strict=strict)


def report(console: Console, record: "Record", *, everything: bool = False) -> None:
    """Print what was found, all but what to ship. everything: the tables of operators as well."""
    tables.report(console, record)
    why.report(console, record, everything=everything)
    tuned.report(console, record)


def shapes_of(given: Sequence[str] | None) -> dict[str, list[int]]:
    """Return the shapes of inputs by their names, which may hold a colon themselves."""
    shapes: dict[str, list[int]] = {}
    for text in given or ():
        name, colon, sizes = text.rpartition(":")
        shape = [int(size) for size in sizes.split(",") if re.fullmatch(r"[1-9][0-9]{0,8}", size)]
        if not (name and colon) or len(shape) != sizes.count(",") + 1:
            raise UsageError(f"--shape is '{text}'; it must be an input and its sizes, as in image:1,3,224,224")
        if name in shapes:
            raise UsageError(f"--shape gives '{name}' twice; give each input once")
        shapes[name] = shape
    return shapes


def _numbers(text: str, option: str) -> list[int]:
    try:
        return [int(part) for part in text.split(",")]
    except ValueError as error:
        raise UsageError(f"{option} is '{text}'; it must be a whole number, or several with commas") from error
