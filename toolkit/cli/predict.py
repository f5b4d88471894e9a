"""``toolkit predict``."""

from pathlib import Path
from typing import Annotated

import typer

from toolkit import units
from toolkit.cli.options import EXPORTED, Debug, Json
from toolkit.console import Column, Console


def command(
    images: Annotated[list[Path], typer.Argument(help="Image files of any size.")],
    model: Annotated[
        Path | None, typer.Option(help="Any artifact; default: the most accurate verified one of exported/.")
    ] = None,
    json: Json = False,
    debug: Debug = False,
) -> int:
    """Classify image files: class, probability and runner-up."""
    from toolkit.prediction import default_model, predict

    console = Console(json_output=json)
    artifact = model or default_model(EXPORTED, warn=console.warn)
    predictions = predict(images, artifact)
    columns = (
        Column("image", figures=False),
        Column("class"),
        Column("probability"),
        Column("runner-up"),
        Column("probability"),
    )
    rows = [
        (p.image, p.classes[0], units.percent(p.probabilities[0]), p.classes[1], units.percent(p.probabilities[1]))
        for p in predictions
    ]
    console.table(columns, rows)
    console.note(f"model: {artifact}")
    results = [
        {
            "image": p.image,
            "class": p.classes[0],
            "probability": p.probabilities[0],
            "runner_up": p.classes[1],
            "runner_up_probability": p.probabilities[1],
        }
        for p in predictions
    ]
    console.document({"schema": 1, "command": "predict", "model": str(artifact), "results": results})
    return 0
