"""``toolkit verify-against``."""

from pathlib import Path
from typing import Annotated

import typer

from toolkit import api
from toolkit.cli.options import Debug, InputRange, Json, LoadingOptions, Margin, ReadingOptions
from toolkit.cli.verify import Flips, report
from toolkit.cli.verify.tables import EXIT_CODES
from toolkit.console import Console
from toolkit.parity.statistics import DEFAULT_MARGIN_PP


def command(
    *,
    reference: Annotated[Path, typer.Argument(help="The model that is taken for right, of any format.")],
    files: Annotated[list[Path], typer.Argument(help="The files that are compared with it, of any format.")],
    data: Annotated[str, typer.Option(help="Labelled rows, such as images: the name of a data set, or a path.")],
    margin: Margin = DEFAULT_MARGIN_PP,
    input_range: InputRange = None,
    code: LoadingOptions,
    flips: Flips = None,
    reading: ReadingOptions,
    json: Json = False,
    debug: Debug = False,
) -> int:
    """Prove that files, anybody's, classify like another model.

    They are compared by accuracy alone, and need no manifest. The exit code is that of 'toolkit verify'.
    """
    console = Console(json_output=json)
    with console.steps("verifying") as show:
        parity = api.verify_against(
            reference,
            *files,
            data=data,
            input_range=input_range,
            reading=reading.asked,
            margin_pp=margin,
            imports=code.imports or (),
            unsafe_lambda=code.unsafe_lambda,
            flips=flips,
            on_step=show,
        )
    report(console, parity, flips)
    return EXIT_CODES[parity.verdict]
