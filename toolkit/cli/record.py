"""``toolkit record``: what can be done with the record of a benchmark or of a verification."""

from pathlib import Path
from typing import Annotated

import typer

from toolkit import api, units
from toolkit.cli.options import Debug, Json
from toolkit.cli.panels import PanelCommand, PanelGroup
from toolkit.console import Console
from toolkit.errors import CheckFailedError

app = typer.Typer(cls=PanelGroup, help="Check or plot the record of a benchmark or verification.")


@app.command(cls=PanelCommand)
def check(
    record: Annotated[
        Path,
        typer.Argument(help="The folder of a benchmark's record, or a parity.json."),
    ],
    json: Json = False,
    debug: Debug = False,
) -> int:
    """Rebuild every figure of a record from its raw samples.

    The exit code is 1 if a figure differs, or if a file that belongs to the record was changed.
    """
    from toolkit.rebuilt import BENCHMARK

    console = Console(json_output=json)
    rebuilt = api.check_record(record)
    for difference in rebuilt.differences:
        console.text(difference)
    samples = f"{rebuilt.samples:,} {'latencies' if rebuilt.kind == BENCHMARK else 'images'}"
    artifacts = units.count(rebuilt.artifacts, "artifact")
    differences = units.count(len(rebuilt.differences), "difference")
    console.text(f"{rebuilt.path}: {rebuilt.figures} figures of {artifacts} rebuilt from {samples}")
    console.text(f"{differences}; verdict: {rebuilt.verdict}")
    console.document(rebuilt.to_json())
    return 0 if rebuilt else CheckFailedError.exit_code


@app.command(cls=PanelCommand)
def plot(
    record: Annotated[Path, typer.Argument(help="The folder of a benchmark's record.")],
    picture: Annotated[Path, typer.Argument(help="The picture to write: .png or .svg.")],
    json: Json = False,
    debug: Debug = False,
) -> int:
    """Draw the latencies of a benchmark, and accuracy and size against them."""
    console = Console(json_output=json)
    missing = api.plot_record(record, picture)
    console.text(f"picture: {picture}{f', latencies alone: {missing}' if missing else ''}")
    console.document(
        {"schema": 1, "command": "record plot", "record": str(record), "picture": str(picture), "missing": missing}
    )
    return 0
