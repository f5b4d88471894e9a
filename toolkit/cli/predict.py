"""``toolkit predict``."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from toolkit import api, units
from toolkit.cli.options import OWN, InputRange, LoadingOptions, Printer, option
from toolkit.console import Console, figure_columns, text_columns

if TYPE_CHECKING:
    from toolkit.prediction import Prediction, Refused

NONE_OF_THESE = "none of these"


def command(
    *,
    images: Annotated[
        list[Path], typer.Argument(help="Image files of any size; .csv, .wav or .npy files for models of values.")
    ],
    model: Annotated[
        Path | None, typer.Option(help="Any artifact; default: the most accurate verified one of exported/.")
    ] = None,
    every_digit: Annotated[
        bool, typer.Option("--all", help="Find and read every digit of an image, in reading order.")
    ] = False,
    explain: Annotated[
        Path | None,
        typer.Option(
            help="A .png file to write: what was taken for paper and ink, and what the model saw of one image."
        ),
    ] = None,
    input_range: InputRange = None,
    labels: Annotated[
        Path | None, option(OWN, "A text file with the name of a class in each line, for a model without a manifest.")
    ] = None,
    code: LoadingOptions,
    console: Printer,
) -> int:
    """Classify image files, or rows of values."""
    from toolkit.errors import DataError
    from toolkit.prediction import Prediction, Refused

    artifact = model or api.default_artifact()
    predictions = api.predict(
        images,
        artifact,
        input_range=input_range,
        labels=labels,
        **code.arguments,
        every_digit=every_digit,
        explain=explain,
    )
    _print(console, predictions)
    console.note(f"model: {artifact}")
    answered = [one for one in predictions if isinstance(one, Prediction)]
    if any(one.novelty is None and one.noun == "image" for one in answered):
        console.note("it has no score for what is none of its classes (why: docs/predict.md#none-of-these)")
    results = [one.to_json() for one in predictions]
    console.document({"schema": 1, "command": "predict", "model": str(artifact), "results": results})
    refused = [one.error for one in predictions if isinstance(one, Refused)]
    for error in refused:
        console.error(error)
    return DataError.exit_code if refused else 0


def _print(console: Console, predictions: "Sequence[Prediction | Refused]") -> None:
    columns = (*text_columns("image"), *figure_columns("class", "probability", "runner-up", "probability"))
    console.table(columns, [(one.image, *_cells(one)) for one in predictions])


def _cells(one: "Prediction | Refused") -> list[str]:
    """Return two classes with their probabilities; what is none of them comes before the likeliest."""
    from toolkit.prediction import Refused

    if isinstance(one, Refused):
        return ["–"] * 4
    pairs = [(name, units.percent(share)) for name, share in zip(one.classes, one.probabilities, strict=True)]
    if one.novelty is not None and one.novelty.none_of_these:
        pairs = [(NONE_OF_THESE, "–"), *pairs]
    return [cell for pair in pairs[:2] for cell in pair]
