"""``toolkit verify``."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from toolkit import api
from toolkit.cli.options import (
    OUTPUT,
    AllowOverlap,
    InputRange,
    LoadingOptions,
    Margin,
    Paths,
    Printer,
    ReadingOptions,
    Runtime,
    TestData,
    given,
    option,
)
from toolkit.cli.verify import tables
from toolkit.cli.verify.tables import EXIT_CODES
from toolkit.console import Console
from toolkit.errors import UsageError
from toolkit.parity.statistics import DEFAULT_MARGIN_PP

if TYPE_CHECKING:
    from toolkit.parity.result import Parity

Golden = Annotated[
    bool, typer.Option("--golden", help="Compare with golden.npz: no TensorFlow and no data set needed.")
]
Against = Annotated[
    Path | None,
    typer.Option(help="Another model to compare files with, anybody's: .keras, .tflite or .onnx; needs --data."),
]
Save = Annotated[bool, option(OUTPUT, "Write a parity record, and the results into the manifests.", "--save")]
Flips = Annotated[
    Path | None, option(OUTPUT, "A picture to write: the images that an artifact classifies differently.")
]


def command(
    *,
    context: typer.Context,
    paths: Paths = None,
    data: TestData = None,
    margin: Margin = DEFAULT_MARGIN_PP,
    golden: Golden = False,
    allow_overlap: AllowOverlap = False,
    against: Against = None,
    input_range: InputRange = None,
    runtime: Runtime = None,
    code: LoadingOptions,
    save: Save = False,
    flips: Flips = None,
    reading: ReadingOptions,
    console: Printer,
) -> int:
    """Prove that artifacts classify like their Keras original.

    The exit code is 0 for pass, 1 for fail, and 3 for inconclusive: too few images to tell.
    """
    flags = given(context)
    of_both: dict[str, Any] = {"margin_pp": margin, "allow_overlap": allow_overlap, "reading": reading.asked}
    of_both |= {"flips": flips, **code.arguments}
    of_exports: dict[str, Any] = {"golden": golden, "save": save, "runtime": runtime}
    with console.steps("verifying") as show:
        if against is None:
            if "input_range" in flags:
                raise UsageError("manifests say what pixels become; --input-range goes with --against")
            parity = api.verify(*(paths or ()), data=data, on_step=show, **of_exports, **of_both)
        else:
            if unused := [flags[name] for name in of_exports if name in flags]:
                raise UsageError(f"--against compares any files by accuracy; leave out {', '.join(unused)}")
            if data is None:
                raise UsageError(f"comparing with {against} needs labelled images; give them by --data")
            parity = api.verify_against(
                against, *(paths or ()), data=data, input_range=input_range, on_step=show, **of_both
            )
    _report(console, parity, flips)
    return EXIT_CODES[parity.verdict]


def _report(console: Console, parity: "Parity", flips: Path | None) -> None:
    tables.report(console, parity)
    tables.explain(console, parity)
    for record in parity.records:
        console.text(f"record: {record}")
    if flips is not None:
        console.text(f"flips: {flips}")
    console.document(parity.to_json())
