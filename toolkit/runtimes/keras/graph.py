"""The layers of a Keras model as a graph: their shapes, parameters and multiply-accumulates."""

from collections.abc import Sequence
from math import prod
from typing import Any

from toolkit import extras
from toolkit.runtimes.base.graph import FLOAT32, Node, Operator, edges
from toolkit.runtimes.keras.fake_quantization import PREFIX
from toolkit.runtimes.keras.layers import calls

# They end in these names; what stands before is the number of dimensions.
_CONVOLUTIONS, _DEPTHWISE, _SEPARABLE = ("Conv1D", "Conv2D", "Conv3D"), "DepthwiseConv", "SeparableConv"
_TRANSPOSED = "Transpose"


def nodes(model: Any, *, kernels: str, batch: int) -> list[Node]:
    """Return the layers of a functional model in order. batch: of their shapes. What computes a layer: kernels.

    A layer that is called again has its parameters only once.
    """
    every = [call for call in calls(model) if not call.is_input]
    takes = edges([([id(one) for one in call.input_tensors], [id(one) for one in call.outputs]) for call in every])
    listed, seen = [], set()
    for call, before in zip(every, takes, strict=True):
        layer = call.operation
        weights = [] if id(layer) in seen else list(getattr(layer, "weights", ()))
        seen.add(id(layer))
        macs = _macs(layer, call, batch)
        size = sum(int(weight.numpy().nbytes) for weight in weights)
        listed.append(
            Node(
                Operator(type(layer).__name__, kernels, macs, FLOAT32 if macs else None, size),
                name=str(layer.name),
                shape=_shape(call.outputs[0], batch),
                parameters=sum(prod(weight.shape) for weight in weights),
                takes=before,
            )
        )
    return listed


def _shape(tensor: Any, batch: int) -> tuple[int, ...] | None:
    """Return the shape of a tensor; None if more than its batch is free."""
    first, *others = tensor.shape
    return None if None in others else (first or batch, *others)


def _macs(layer: Any, call: Any, batch: int) -> int | None:
    """Return the multiply-accumulates of a call of a layer; None if they are not known."""
    if getattr(layer, "layers", None) and getattr(layer, "inputs", None):
        inner = extras.load("keras").Model(layer.inputs, layer.outputs)
        parts = [_macs(one.operation, one, batch) for one in calls(inner) if not one.is_input]
        return None if None in parts else sum(part for part in parts if part)
    kernels = [tuple(weight.shape) for weight in getattr(layer, "weights", ()) if len(weight.shape) > 1]
    if not kernels:
        return 0
    taken, given = _shape(call.input_tensors[0], batch), _shape(call.outputs[0], batch)
    return (
        None
        if taken is None or given is None
        else _of_kernels(type(layer).__name__.removeprefix(PREFIX), kernels, taken, given)
    )


def _of_kernels(
    kind: str, kernels: Sequence[tuple[int, ...]], taken: Sequence[int], given: Sequence[int]
) -> int | None:
    """Return those of a layer of a kind of Keras' own; its kernels have the shapes that Keras gives them."""
    first = kernels[0]
    if kind == "Dense":
        return prod(given) * first[0]
    if kind.startswith(_DEPTHWISE):  # (height, width, channels, filters of each)
        return prod(given) * prod(first[:-2])
    if kind.startswith(_SEPARABLE):  # the same, and one of a single pixel: (1, 1, filters of all channels, channels)
        between = first[-2] * first[-1]
        return prod(given) // kernels[1][-1] * between * prod(first[:-2]) + prod(given) * between
    if kind in _CONVOLUTIONS:  # (height, width, channels of a group, channels given)
        return prod(given) * prod(first[:-1])
    if kind.endswith(_TRANSPOSED) and kind.removesuffix(_TRANSPOSED) in _CONVOLUTIONS:  # (…, channels given, taken)
        return prod(taken) * prod(first[:-1])
    return None
