"""``toolkit show``: what a model file computes."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from toolkit import api, units
from toolkit.cli.options import OUTPUT, Debug, Json, option
from toolkit.console import Column, Console

if TYPE_CHECKING:
    from toolkit.report.graph import Graph

COLUMNS = (
    Column("operator", figures=False),
    Column("name", figures=False),
    Column("gives"),
    Column("parameters"),
    Column("MACs"),
    Column("weights"),
    Column("takes", figures=False),
    Column("kernels", figures=False),
)


def command(
    file: Annotated[Path, typer.Argument(help="A model file, anybody's: .keras, .tflite or .onnx.")],
    svg: Annotated[Path | None, option(OUTPUT, "A picture to write: a .svg file.", "--svg")] = None,
    json: Json = False,
    debug: Debug = False,
) -> int:
    """Show what a model file computes, operator by operator.

    The operators are those that this machine executes. A .keras file is shown layer by layer, which needs TensorFlow.
    """
    console = Console(json_output=json)
    graph = api.show(file, picture=svg)
    _report(console, graph)
    if svg is not None:
        console.text(f"picture: {svg}")
    console.document(graph.to_json())
    return 0


def _report(console: Console, graph: "Graph") -> None:
    console.table(
        COLUMNS,
        [
            (
                f"{place} {node.operator.name}",
                node.short_name,
                node.dimensions,
                f"{node.parameters:,}" if node.parameters else "",
                "not known" if node.operator.macs is None else f"{node.operator.macs:,}" if node.operator.macs else "",
                units.size(node.operator.weight_bytes) if node.operator.weight_bytes else "",
                ", ".join("input" if before < 0 else str(before) for before in node.takes),
                node.operator.kernels,
            )
            for place, node in enumerate(graph.nodes)
        ],
    )
    macs = "not known" if graph.macs is None else f"{graph.macs:,}"
    console.text(
        f"{graph.path}: {units.size(graph.size_bytes)}, {units.count(len(graph.nodes), 'operator')}, "
        f"{graph.parameters:,} parameters, {macs} multiply-accumulates (MACs) of one inference, "
        f"{units.size(graph.weight_bytes)} of weights"
    )
    counts = ", ".join(f"{kernels} ({count})" for kernels, count in graph.kernels.items())
    console.text(f"executed by: {counts}")
