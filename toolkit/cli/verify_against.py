"""``toolkit verify-against``: any file beside any other model."""

from pathlib import Path
from typing import Annotated

import typer

from toolkit import api
from toolkit.cli import verify
from toolkit.cli.options import InputRange, LoadingOptions, Margin, Printer, ReadingOptions
from toolkit.parity.statistics import DEFAULT_MARGIN_PP


def command(
    *,
    reference: Annotated[Path, typer.Argument(help="The model to compare with: .keras, .tflite or .onnx.")],
    paths: Annotated[list[Path], typer.Argument(help="The files to compare, of any of these formats.")],
    data: Annotated[str, typer.Option(help="Labelled rows, such as images: the name of a data set, or a path.")],
    margin: Margin = DEFAULT_MARGIN_PP,
    input_range: InputRange = None,
    code: LoadingOptions,
    flips: verify.Flips = None,
    reading: ReadingOptions,
    console: Printer,
) -> int:
    """Prove that files, anybody's, are as accurate as another model.

    No manifest is needed. The exit code is 0 for pass, 1 for fail, and 3 for inconclusive: too few images to tell.
    """
    with console.steps("verifying") as show:
        parity = api.verify_against(
            reference,
            *paths,
            data=data,
            input_range=input_range,
            reading=reading.asked,
            margin_pp=margin,
            **code.arguments,
            flips=flips,
            on_step=show,
        )
    return verify.report(console, parity, flips)
