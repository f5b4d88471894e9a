"""``toolkit verify``."""

import itertools
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from toolkit import units
from toolkit.cli.options import EXPORTED, Debug, Json, Paths
from toolkit.console import Column, Console
from toolkit.errors import UsageError
from toolkit.parity.statistics import DEFAULT_MARGIN_PP

if TYPE_CHECKING:
    from toolkit.parity.compare import Comparison
    from toolkit.parity.verify import Verified

EXIT_CODES = {"pass": 0, "fail": 1, "inconclusive": 3}


def command(
    paths: Paths = None,
    data: Annotated[
        str | None, typer.Option(help="The data set whose test images are used; default: the manifest's.")
    ] = None,
    margin: Annotated[float, typer.Option(help="Accuracy that may be lost, in percentage points.")] = DEFAULT_MARGIN_PP,
    golden: Annotated[
        bool, typer.Option("--golden", help="Compare with golden.npz: no TensorFlow and no data set needed.")
    ] = False,
    save: Annotated[bool, typer.Option("--save", help="Write the results into the manifests.")] = False,
    json: Json = False,
    debug: Debug = False,
) -> int:
    """Prove that artifacts classify like the Keras original, or say no. Exit code: 0 pass, 1 fail, 3 inconclusive."""
    from toolkit.parity.verify import document

    if golden and save:
        raise UsageError("results by golden measure no accuracy and are not saved; leave out --golden or --save")
    console = Console(json_output=json)
    parts = perform(console, paths or [EXPORTED], data=data, margin_pp=margin, golden=golden)
    report(console, parts)
    if save:
        for part in parts:
            part.save()
    result = document(parts)
    console.document(result)
    return EXIT_CODES[result["verdict"]]


def perform(
    console: Console,
    paths: Sequence[Path],
    *,
    data: str | None = None,
    margin_pp: float = DEFAULT_MARGIN_PP,
    golden: bool = False,
) -> list["Verified"]:
    """Compare the artifacts of every manifest."""
    from toolkit.parity.verify import select, verify

    chosen = select(paths)
    parts: list[Verified] = []
    finished = itertools.count(1)
    with console.progress(sum(len(artifacts) for _, artifacts in chosen), "verifying") as advance:
        for manifest, artifacts in chosen:
            part = verify(
                manifest,
                artifacts,
                data_choice=data,
                by_golden=golden,
                margin_pp=margin_pp,
                warn=console.warn,
                on_comparison=lambda comparison: advance(next(finished), comparison.artifact),
            )
            parts.append(part)
    return parts


def report(console: Console, parts: Sequence["Verified"]) -> None:
    """Print one table, the problems under it, and the verdict."""
    from toolkit.parity.compare import overall

    columns = (
        Column("artifact", figures=False),
        Column("runtime", figures=False),
        Column("accuracy"),
        Column("change"),
        Column("lost"),
        Column("gained"),
        Column("at most lost"),
        Column("difference"),
        Column("verdict", figures=False),
    )
    comparisons = [comparison for part in parts for comparison in part.comparisons]
    console.table(columns, [_row(comparison) for comparison in comparisons])
    for c in comparisons:
        if c.problem:
            console.text(f"{c.artifact}: {c.problem}")
    for part in parts:
        data, reference = part.dataset, part.comparisons[0].reference_accuracy
        accuracy = f", Keras {units.percent(reference)}" if reference is not None else ""
        console.text(
            f"{part.manifest.folder}{accuracy}: {data['n']} images ({data['name']}, {data['split']}, "
            f"sha256 {data['sha256'][:12]})"
        )
    console.text(
        "change, at most lost: percentage points of accuracy; difference: the largest of any output from Keras'"
    )
    if comparisons[0].by_golden:
        rule = "by golden: outputs are those of the machine that exported; its digits do not measure accuracy"
    else:
        rule = f"pass: surely (95 %) no more than {comparisons[0].margin_pp:g} percentage points of accuracy are lost"
    console.text(f"verdict: {overall(comparisons)} ({rule})")


def _row(comparison: "Comparison") -> tuple[str, ...]:
    described = Path(comparison.artifact).name, comparison.runtime
    bounds = comparison.loss_bounds_pp
    if comparison.accuracy is None or comparison.loss_pp is None or bounds is None:
        return (*described, *["–"] * 6, comparison.verdict)
    return (
        *described,
        units.percent(comparison.accuracy),
        f"{0.0 - comparison.loss_pp:+.2f}",
        str(comparison.lost),
        str(comparison.gained),
        "–" if comparison.by_golden else f"{bounds[1]:.2f}",
        f"{comparison.max_abs_error:.2g}",
        comparison.verdict,
    )
