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
    lines = [f"{layer.name:16}{layer.kind:14}{layer.output_shape!s:22}{layer.parameters:>10,}" for layer in layers]
    total = sum(layer.parameters for layer in layers)
    return "\n".join(
        [f"{'layer':16}{'kind':14}{'output':22}{'parameters':>10}", *lines, f"{'total':52}{total:>10,}", *additions, ""]
    )
