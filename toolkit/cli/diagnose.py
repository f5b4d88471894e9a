"""``toolkit diagnose``: why does a file answer differently from another model?"""

from pathlib import Path
from typing import Annotated

import typer

from toolkit import api, units
from toolkit.cli.options import InputRange, LoadingOptions, Printer, ReadingOptions


def command(
    *,
    artifact: Annotated[Path, typer.Argument(help="The file whose answers are wrong, of any format.")],
    against: Annotated[Path, typer.Option(help="The model that answers as it should, of any format.")],
    data: Annotated[str, typer.Option(help="Labelled rows, such as images: the name of a data set, or a path.")],
    input_range: InputRange = None,
    code: LoadingOptions,
    reading: ReadingOptions,
    console: Printer,
) -> int:
    """Find out why a file does not answer as another model does.

    It tries what people get wrong: the range of the pixels, the order of channels or classes, inverted or turned
    images, integers taken for values, values that are clipped; of tables and sensors, standardized values and the order
    of columns. Each cause is fitted on one half of the rows and confirmed on the other. The exit code is 1 if none
    explains it.
    """
    diagnosis = api.diagnose(
        artifact, against=against, data=data, reading=reading.asked, input_range=input_range, **code.arguments
    )
    console.text(
        f"{artifact} answers {units.percent(diagnosis.agreement)} of {diagnosis.n} {diagnosis.noun}s as {against} does"
    )
    for cause in diagnosis.causes:
        shares = f"{units.percent(cause.before)} → {units.percent(cause.after)} of the answers are equal then"
        console.text(f"cause: {cause.name}: {cause.text} ({shares})")
    if diagnosis.softmax:
        console.text(
            "one of the two answers with logits, the other with probabilities: a softmax is missing, or one too many"
        )
    if diagnosis.dequantization:
        console.text(f"{artifact} answers with whole numbers, as a quantized output without its scale: dequantize it")
    if not diagnosis.explained:
        console.text("none of the usual causes explains the rest: other weights? Try 'toolkit localize' on an export")
    elif not diagnosis.causes:
        console.text("they agree; what differs is precision")
    return console.end(diagnosis.to_json(), passed=diagnosis.explained)
