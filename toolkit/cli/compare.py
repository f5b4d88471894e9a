"""``toolkit compare``: which of two artifacts is faster, or has an artifact become slower between two records?"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from toolkit import api, units
from toolkit.bench.tolerance import MORE_INSTRUCTIONS, SLOWER
from toolkit.cli.bench.tables import NAME_COLUMNS
from toolkit.cli.options import Debug, Json, MeasuringOptions, given
from toolkit.console import Column, Console
from toolkit.errors import CheckFailedError, UsageError

if TYPE_CHECKING:
    from toolkit.bench.compare import Compared, Pair
    from toolkit.bench.instructions.versus import Counts
    from toolkit.bench.versus import Versus
    from toolkit.manifest import TensorSpec

RATIO_COLUMNS = (Column("speed-up"), Column("95 %"), Column("", figures=False))
RECORD_COLUMNS = (*NAME_COLUMNS, Column("threads"), Column("batch"), Column("old"), Column("new"), *RATIO_COLUMNS)
COUNT_COLUMNS = (*NAME_COLUMNS, Column("instructions"), Column("change"))
FILE_COLUMNS = (*NAME_COLUMNS, Column("input", figures=False), Column("median"), *RATIO_COLUMNS)
# How much weaker it is to compare what was measured at two times.
WEAKER = (
    "two records: what the machine did on the one day and not on the other counts as a difference. Compare the two "
    "files (toolkit compare OLD.tflite NEW.tflite): timed side by side, far smaller differences are seen"
)
# What else goes with --instructions.
COUNTING = {"old", "new", "tolerance", "instructions", "json", "debug"}


def command(
    *,
    context: typer.Context,
    old: Annotated[Path, typer.Argument(help="An artifact, or the folder of the older record.")],
    new: Annotated[Path, typer.Argument(help="Another artifact, or the folder of the newer record.")],
    tolerance: Annotated[
        float | None,
        typer.Option(
            help=f"How much slower an artifact may be, in percent; default: {100 * SLOWER:g}, of instructions "
            f"{100 * MORE_INSTRUCTIONS:g}.",
            show_default=False,
        ),
    ] = None,
    instructions: Annotated[
        bool,
        typer.Option("--instructions", help="Compare two artifacts by the instructions of an inference, not by time."),
    ] = False,
    threads: Annotated[int, typer.Option(help="Threads of both artifacts.")] = 1,
    batch: Annotated[int, typer.Option(help="Images per inference of both artifacts.")] = 1,
    measuring: MeasuringOptions,
    json: Json = False,
    debug: Debug = False,
) -> int:
    """Compare two artifacts, or two benchmarks: which is slower?

    Two artifacts are timed side by side. The exit code is 1 if one is slower by more than --tolerance with
    95 % confidence, or can no longer be measured. With --instructions, which do not depend on what else the machine
    does, it is 1 if the new one executes more of them by more than --tolerance.
    """
    console = Console(json_output=json)
    tolerated: dict[str, Any] = {} if tolerance is None else {"tolerance": tolerance / 100}
    are_artifacts = [api.is_artifact(path) for path in (old, new)]
    compared: Compared | Counts | Versus
    if instructions:
        if unused := [flag for name, flag in given(context).items() if name not in COUNTING]:
            raise UsageError(f"{unused[0]} is for timing; leave it out with --instructions")
        if not all(are_artifacts):
            raise UsageError("--instructions compares two artifacts; a record has only what was counted then")
        with console.steps("counting") as show:
            compared = counts = api.compare_instructions(old, new, on_step=show, **tolerated)
        _report_counts(console, counts)
    elif all(are_artifacts):
        with console.steps("comparing") as show:
            compared = versus = api.compare_files(
                old, new, threads=threads, batch=batch, on_step=show, **vars(measuring), **tolerated
            )
        _report_files(console, versus)
    elif any(are_artifacts):
        artifact, other = (old, new) if are_artifacts[0] else (new, old)
        raise UsageError(f"{artifact} is an artifact and {other} is none; compare two artifacts, or two records")
    else:
        compared = records = api.compare(old, new, **tolerated)
        _report_records(console, records, old, new)
    console.document(compared.to_json())
    return 0 if compared else CheckFailedError.exit_code


def _report_counts(console: Console, counts: "Counts") -> None:
    names = units.short_names([counts.reference, counts.candidate])
    if counts.counted is None:
        console.text(f"{names[0]} and {names[1]} are the same file, by their digests: there is nothing to count")
        return
    changes = ("reference", f"{counts.ratio - 1:+.2%}")
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


def _report_files(console: Console, versus: "Versus") -> None:
    from toolkit.bench.statistics import describe

    reference, candidate = versus.reference.candidate, versus.candidate.candidate
    names = units.short_names([reference.path, candidate.path])
    speedup, pairs = versus.speedup, versus.pairs
    if speedup is None or pairs is None:
        console.text(f"{names[0]} and {names[1]} are the same file, by their digests: there is nothing to time")
        return
    inputs = [_inputs(specs) for specs in versus.inputs]
    medians = [units.seconds(value_s) for value_s in versus.medians_s()]
    interval = f"{speedup.low:.3f} – {speedup.high:.3f}"
    console.table(
        FILE_COLUMNS,
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
        console.warn("the two take different inputs; each was given its own, so they may do different work")
    for remark in versus.remarks:
        console.warn(remark)
    slower = "is" if not versus else "is not"
    console.text(f"{names[1]} {slower} more than {100 * versus.tolerance:g} % slower, with 95 % confidence")


def _inputs(specs: "tuple[TensorSpec, ...]") -> str:
    return ", ".join(f"{'×'.join('?' if n is None else str(n) for n in spec.shape)} {spec.dtype}" for spec in specs)


def _report_records(console: Console, compared: "Compared", old: Path, new: Path) -> None:
    console.table(RECORD_COLUMNS, [_row(pair) for pair in compared.pairs])
    for result in compared.gone:
        console.warn(f"{result.path.name} (threads {result.threads}, batch {result.batch}) is in {old} only")
    for path, why in compared.failed.items():
        console.warn(f"{path} was not measured in {new}: {why.removeprefix(f'{path}: ')}")
    if compared.same_host:
        slower = f"{len(compared.slower)} of {len(compared.pairs)} are more than {100 * compared.tolerance:g} % slower"
        console.text(f"{slower}, with 95 % confidence")
        console.text(WEAKER)
    else:
        console.text("measured on two machines: side by side, without a verdict")


def _row(pair: "Pair") -> tuple[str, ...]:
    from toolkit.bench.statistics import describe

    medians = (units.seconds(result.median.value) for result in (pair.old, pair.new))
    configuration = (pair.new.path.name, pair.new.runtime, str(pair.new.threads), str(pair.new.batch))
    if pair.change is None:
        return (*configuration, *medians, "–", "–", "")
    interval = f"{pair.change.low:.2f} – {pair.change.high:.2f}"
    return (*configuration, *medians, f"{pair.change.value:.2f}×", interval, describe(pair.change))
