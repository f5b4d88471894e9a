"""``toolkit show``: what a model file computes."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from toolkit import api, units
from toolkit.cli.options import OUTPUT, Printer, option
from toolkit.console import Console

if TYPE_CHECKING:
    from toolkit.report.graph import Graph


def command(
    *,
    file: Annotated[Path, typer.Argument(help="A model file, anybody's: .keras, .tflite or .onnx.")],
    svg: Annotated[Path | None, option(OUTPUT, "A picture to write: a .svg file.", "--svg")] = None,
    console: Printer,
) -> int:
    """Show what a model file computes, operator by operator.

    The operators are those that this machine executes. A .keras file is shown layer by layer, which needs TensorFlow.
    """
    graph = api.show(file, picture=svg)
    _report(console, graph)
    if svg is not None:
        console.text(f"picture: {svg}")
    console.document(graph.to_json())
    return 0


def _report(console: Console, graph: "Graph") -> None:
    from toolkit.report.graph import COLUMNS

    console.table(COLUMNS, graph.rows)
    console.text(f"{graph.path}: {units.size(graph.size_bytes)}, {graph}")
    counts = ", ".join(f"{kernels} ({count})" for kernels, count in graph.kernels.items())
    console.text(f"executed by: {counts}")
