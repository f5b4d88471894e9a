"""``toolkit predict``."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from toolkit import api, units
from toolkit.cli.options import Debug, InputRange, Json
from toolkit.console import Column, Console

if TYPE_CHECKING:
    from toolkit.prediction import Prediction, Refused


def command(
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
    json: Json = False,
    debug: Debug = False,
) -> int:
    """Classify image files, or rows of values."""
    from toolkit.errors import DataError
    from toolkit.prediction import Refused

    console = Console(json_output=json)
    artifact = model or api.default_artifact()
    predictions = api.predict(images, artifact, input_range=input_range, every_digit=every_digit, explain=explain)
    _print(console, predictions)
    console.note(f"model: {artifact}")
    results = [one.to_json() for one in predictions]
    console.document({"schema": 1, "command": "predict", "model": str(artifact), "results": results})
    refused = [one.error for one in predictions if isinstance(one, Refused)]
    for error in refused:
        console.error(error)
    return DataError.exit_code if refused else 0


def _print(console: Console, predictions: "Sequence[Prediction | Refused]") -> None:
    from toolkit.prediction import Refused

    columns = (
        Column("image", figures=False),
        Column("class"),
        Column("probability"),
        Column("runner-up"),
        Column("probability"),
    )
    rows = [
        (one.image, *["–"] * (len(columns) - 1))
        if isinstance(one, Refused)
        else (
            one.image,
            one.classes[0],
            units.percent(one.probabilities[0]),
            one.classes[1],
            units.percent(one.probabilities[1]),
        )
        for one in predictions
    ]
    console.table(columns, rows)
