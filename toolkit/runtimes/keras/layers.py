"""The layers of a Keras model, run together or each alone."""

from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from toolkit import extras
from toolkit.runtimes.base import as_artifact_error
from toolkit.runtimes.keras import fake_quantization
from toolkit.runtimes.keras.loading import load_model

# Layers that give out means, of a window or of all places.
_MEANS = ("AveragePooling1D", "AveragePooling2D", "AveragePooling3D")
_GLOBAL_MEANS = tuple(f"Global{kind}" for kind in _MEANS)
# Layers that compute nothing by themselves, only name or round values or put them in another order.
_MOVERS = ("InputLayer", "Flatten", "Reshape", "Permute", "Dropout", fake_quantization.ACTIVATIONS)


def calls(network: Any) -> list[Any]:
    """Return the calls of layers that a functional model consists of, each behind those whose outputs it takes."""
    depths = network._nodes_by_depth  # Keras has no public list of them
    return [node for depth in sorted(depths, reverse=True) for node in depths[depth]]


@dataclass(frozen=True)
class LayerOutput:
    """What one layer gives out, (N, …). count, magnitudes: of means, how many values they are of, and means of |x|."""

    values: NDArray[np.float32]
    count: int | None = None
    magnitudes: NDArray[np.float32] | None = None


class Layers:
    """The layers of a Keras model that compute something, run together or each alone.

    A layer that is called several times has several outputs: it is run, and not shown. rounded: whether layers that
    round activations do so, or pass them as they are.
    """

    def __init__(self, path: Path, *, rounded: bool = True) -> None:
        keras = extras.load("keras")
        model = load_model(path)
        self._path, self._rounded = path, rounded
        self._flatten = keras.tree.flatten
        self._nodes = calls(keras.Model(model.inputs, model.outputs))
        times = Counter(id(node.operation) for node in self._nodes)
        self._shown: dict[str, Any] = {
            node.operation.name: node
            for node in self._nodes
            if isinstance(node.operation, keras.layers.Layer)
            and type(node.operation).__name__ not in _MOVERS
            and times[id(node.operation)] == len(node.outputs) == 1
        }
        for node in self._nodes:  # kernels round a layer's values as they give them out
            if type(node.operation).__name__ == fake_quantization.ACTIVATIONS:
                (before,) = node.parent_nodes
                name = before.operation.name
                if self._shown.get(name) is before:
                    self._shown[name] = node

    def together(self, inputs: NDArray[np.float32]) -> dict[str, NDArray[np.float32]]:
        """Return the output of each layer for real values (N, …) of the input."""
        values = self._run(self._nodes, inputs, {})
        return {name: np.array(values[id(node.outputs[0])]) for name, node in self._shown.items()}

    def alone(self, name: str, known: Mapping[str, NDArray[np.float32]], inputs: NDArray[np.float32]) -> LayerOutput:
        """Return the output of one layer where the layers before it give out what ``known`` has.

        Layers before it that ``known`` lacks are computed from those before them, or from the input's values.
        """
        wanted = self._shown[name]
        values = self._before(wanted, known, inputs)
        output = np.array(self._run([wanted], inputs, values)[id(wanted.outputs[0])])
        layer, kind = wanted.operation, type(wanted.operation).__name__
        if kind not in (*_MEANS, *_GLOBAL_MEANS):
            return LayerOutput(output)
        (tensor,) = wanted.input_tensors
        given = np.abs(np.array(values[id(tensor)]))
        count = given.size // output.size if kind in _GLOBAL_MEANS else prod(layer.pool_size)
        return LayerOutput(output, count, np.array(layer(given)))

    def _before(
        self, wanted: Any, known: Mapping[str, NDArray[np.float32]], inputs: NDArray[np.float32]
    ) -> dict[int, Any]:
        """Return the values of the tensors, by identity, that a call takes."""
        given = {id(self._shown[one].outputs[0]): known[one] for one in known if self._shown[one] is not wanted}
        needed = {id(parent) for parent in wanted.parent_nodes}
        for node in reversed(self._nodes):
            if id(node) in needed and id(node.outputs[0]) not in given:
                needed |= {id(parent) for parent in node.parent_nodes}
        return self._run([node for node in self._nodes if id(node) in needed], inputs, given)

    def _run(
        self, nodes: Sequence[Any], inputs: NDArray[np.float32], given: Mapping[int, NDArray[np.float32]]
    ) -> dict[int, Any]:
        """Return the values of tensors, by identity, after running the calls that ``given`` has no values of."""
        values: dict[int, Any] = dict(given)
        rounding = nullcontext() if self._rounded else fake_quantization.unrounded()
        with as_artifact_error(self._path, "Keras cannot run its layers"), rounding:
            for node in nodes:
                if node.is_input:
                    values[id(node.outputs[0])] = inputs
                elif id(node.outputs[0]) not in given:
                    arguments, named = node.arguments.fill_in(values)
                    results = self._flatten(node.operation(*arguments, **named))
                    values |= {id(tensor): result for tensor, result in zip(node.outputs, results, strict=True)}
        return values
