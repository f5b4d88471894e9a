"""``toolkit verify``."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from toolkit import api
from toolkit.cli.options import (
    OUTPUT,
    AllowOverlap,
    LoadingOptions,
    Margin,
    Paths,
    Printer,
    ReadingOptions,
    Runtime,
    TestData,
    option,
)
from toolkit.cli.verify import tables
from toolkit.cli.verify.tables import EXIT_CODES
from toolkit.parity.statistics import DEFAULT_MARGIN_PP

if TYPE_CHECKING:
    from toolkit.parity.result import Parity

Golden = Annotated[
    bool,
    typer.Option(
        "--golden",
        help="Compare with golden.npz: no TensorFlow and no data set needed; goes with neither --data nor --save.",
    ),
]
Save = Annotated[
    bool,
    option(
        OUTPUT, "Write a parity record, and the results into the manifests; not with --golden or --runtime.", "--save"
    ),
]
Flips = Annotated[
    Path | None, option(OUTPUT, "A picture to write: the images that an artifact classifies differently.")
]


def command(
    *,
    paths: Paths = None,
    data: TestData = None,
    margin: Margin = DEFAULT_MARGIN_PP,
    golden: Golden = False,
    allow_overlap: AllowOverlap = False,
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
    with console.steps("verifying") as show:
        parity = api.verify(
            *(paths or ()),
            data=data,
            golden=golden,
            reading=reading.asked,
            margin_pp=margin,
            **code.arguments,
            allow_overlap=allow_overlap,
            save=save,
            flips=flips,
            runtime=runtime,
            on_step=show,
        )
    return report(console, parity, flips)


def report(console: Printer, parity: "Parity", flips: Path | None) -> int:
    """Print what a verification came to, and the files that it wrote; return the exit code."""
    tables.report(console, parity)
    tables.explain(console, parity)
    for record in parity.records:
        console.text(f"record: {record}")
    if flips is not None:
        console.text(f"flips: {flips}")
    console.document(parity.to_json())
    return EXIT_CODES[parity.verdict]
