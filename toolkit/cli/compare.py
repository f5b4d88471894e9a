"""``toolkit compare``: which of two artifacts is faster?"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from toolkit import api, units
from toolkit.bench.tolerance import SLOWER
from toolkit.cli.bench.tables import NAME_COLUMNS, RATIO_COLUMNS
from toolkit.cli.options import Debug, Json, MeasuringOptions
from toolkit.console import Column, Console
from toolkit.errors import CheckFailedError

if TYPE_CHECKING:
    from toolkit.bench.versus import Versus
    from toolkit.manifest import TensorSpec

COLUMNS = (*NAME_COLUMNS, Column("input", figures=False), Column("median"), *RATIO_COLUMNS)

Old = Annotated[Path, typer.Argument(help="An artifact.")]
New = Annotated[Path, typer.Argument(help="Another artifact.")]


def command(
    *,
    old: Old,
    new: New,
    tolerance: Annotated[float, typer.Option(help="How much slower the new one may be, in percent.")] = 100 * SLOWER,
    threads: Annotated[int, typer.Option(help="Threads of both artifacts.")] = 1,
    batch: Annotated[int, typer.Option(help="Images per inference of both artifacts.")] = 1,
    measuring: MeasuringOptions,
    json: Json = False,
    debug: Debug = False,
) -> int:
    """Time two artifacts side by side: which is slower?

    The exit code is 1 if the new one is slower by more than --tolerance with 95 % confidence.
    """
    console = Console(json_output=json)
    with console.steps("comparing") as show:
        versus = api.compare(
            old, new, tolerance=tolerance / 100, threads=threads, batch=batch, on_step=show, **vars(measuring)
        )
    _report(console, versus)
    console.document(versus.to_json())
    return 0 if versus else CheckFailedError.exit_code


def _report(console: Console, versus: "Versus") -> None:
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
        console.warn("the two take different inputs; each was given its own, so they may do different work")
    for remark in versus.remarks:
        console.warn(remark)
    slower = "is" if not versus else "is not"
    console.text(f"{names[1]} {slower} more than {100 * versus.tolerance:g} % slower, with 95 % confidence")


def _inputs(specs: "tuple[TensorSpec, ...]") -> str:
    return ", ".join(f"{'×'.join('?' if n is None else str(n) for n in spec.shape)} {spec.dtype}" for spec in specs)
