"""``toolkit compare``: which of two artifacts is faster, or executes fewer instructions?"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from toolkit import api, units
from toolkit.bench.tolerance import MORE_INSTRUCTIONS, SLOWER
from toolkit.cli.bench import Shapes, shapes_of
from toolkit.cli.bench.tables import NAME_COLUMNS, RATIO_COLUMNS
from toolkit.cli.options import MeasuringOptions, Printer, given
from toolkit.console import Column, Console
from toolkit.errors import UsageError

if TYPE_CHECKING:
    from toolkit.bench.instructions.versus import Counts
    from toolkit.bench.versus import Versus

COLUMNS = (*NAME_COLUMNS, Column("input", figures=False), Column("median"), *RATIO_COLUMNS)
COUNT_COLUMNS = (*NAME_COLUMNS, Column("instructions"), Column("change"))

# What else goes with --instructions.
COUNTING = {"old", "new", "tolerance", "instructions", "shape", "json", "debug"}


def command(
    *,
    context: typer.Context,
    old: Annotated[Path, typer.Argument(help="An artifact.")],
    new: Annotated[Path, typer.Argument(help="Another artifact.")],
    tolerance: Annotated[
        float | None,
        typer.Option(
            help=f"How much slower the new one may be, in percent; default: {100 * SLOWER:g}, of instructions "
            f"{100 * MORE_INSTRUCTIONS:g}.",
            show_default=False,
        ),
    ] = None,
    instructions: Annotated[
        bool, typer.Option("--instructions", help="Compare the instructions of an inference: work, not time.")
    ] = False,
    threads: Annotated[int, typer.Option(help="Threads of both artifacts.")] = 1,
    batch: Annotated[int, typer.Option(help="Images per inference of both artifacts.")] = 1,
    shape: Shapes = None,
    measuring: MeasuringOptions,
    console: Printer,
) -> int:
    """Time two artifacts side by side: which is slower?

    The exit code is 1 if the new one is slower by more than --tolerance with 95 % confidence. With --instructions,
    which do not depend on what else the machine does, it is 1 if the new one executes more of them by more than that.
    """
    asked: dict[str, Any] = {"shapes": shapes_of(shape)}
    if tolerance is not None:
        asked["tolerance"] = tolerance / 100
    compared: Counts | Versus
    if instructions:
        if unused := [flag for name, flag in given(context).items() if name not in COUNTING]:
            raise UsageError(f"{unused[0]} is for timing; leave it out with --instructions")
        with console.steps("counting") as show:
            compared = counted = api.compare_instructions(old, new, on_step=show, **asked)
        _report_counts(console, counted)
    else:
        with console.steps("comparing") as show:
            compared = timed = api.compare(
                old, new, threads=threads, batch=batch, on_step=show, **vars(measuring), **asked
            )
        _report(console, timed)
    return console.end(compared.to_json(), passed=compared)


def _report(console: Console, versus: "Versus") -> None:
    from toolkit.bench.statistics import describe

    reference, candidate = versus.reference.candidate, versus.candidate.candidate
    names = units.short_names([reference.path, candidate.path])
    speedup, pairs = versus.speedup, versus.pairs
    if speedup is None or pairs is None:
        console.text(f"{names[0]} and {names[1]} are the same file, by their digests: there is nothing to time")
        return
    inputs = [
        ", ".join(f"{'×'.join('?' if n is None else str(n) for n in spec.shape)} {spec.dtype}" for spec in specs)
        for specs in versus.inputs
    ]
    medians = [units.seconds(value_s) for value_s in versus.medians_s()]
    interval = f"{speedup.low:.3f} – {speedup.high:.3f}"
    console.table(
        COLUMNS,
        [
            (names[0], reference.runtime, inputs[0], medians[0], "–", "–", "reference"),
            (names[1], candidate.runtime, inputs[1], medians[1], f"{speedup.value:.3f}×", interval, describe(speedup)),
        ],
    )
    where = "in one process" if versus.one_process else "in two processes on one core"
    console.text(
        f"timed side by side {where}, in blocks that alternate: {len(pairs.reference):,} pairs of {len(pairs.lengths)} "
        "processes, each with caches that its own last inferences have filled"
    )
    if not versus.same_inputs:
        console.warn("the two take different inputs, as the table shows; each was given its own")
    for remark in versus.remarks:
        console.warn(remark)
    more = f"more than {100 * versus.tolerance:g} % slower"
    if versus and not versus.within:
        console.text(f"whether {names[1]} is {more} cannot be told from this: measure longer (--seconds)")
    else:
        console.text(f"{names[1]} {'is not' if versus else 'is'} {more}, with 95 % confidence")


def _report_counts(console: Console, counts: "Counts") -> None:
    names = units.short_names([counts.reference, counts.candidate])
    if counts.counted is None:
        console.text(f"{names[0]} and {names[1]} are the same file, by their digests: there is nothing to count")
        return
    changes = ("reference", units.percent(counts.ratio - 1, "+.2f"))
    console.table(
        COUNT_COLUMNS,
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
