"""The layer table of a model."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class LayerRow:
    """One line of the layer table."""

    name: str
    kind: str
    output_shape: tuple[int | None, ...]
    parameters: int


def table(model: Any) -> tuple[LayerRow, ...]:
    """Return a line for each layer of a Keras model."""
    return tuple(
        # The last of its calls: if there are several, `layer.output` is an error.
        LayerRow(layer.name, type(layer).__name__, layer._inbound_nodes[-1].outputs[0].shape, layer.count_params())
        for layer in model.layers
    )


def text(layers: tuple[LayerRow, ...], additions: tuple[str, ...] = ()) -> str:
    """Return the table as plain text, with the total, and what its training adds to the plain one."""
    total = sum(layer.parameters for layer in layers)
    rows = [("layer", "kind", "output", "parameters")]
    rows += [(layer.name, layer.kind, str(layer.output_shape), f"{layer.parameters:,}") for layer in layers]
    rows += [("total", "", "", f"{total:,}")]
    widths = [max(len(row[column]) for row in rows) + 2 for column in range(3)]
    lines = [
        "".join(cell.ljust(width) for cell, width in zip(row, widths, strict=False)) + f"{row[3]:>10}" for row in rows
    ]
    return "\n".join([*lines, *additions, ""])
