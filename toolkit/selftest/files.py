"""Faults that are edited into a copy of an exported file, as a bug in a converter or a broken tool would leave it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from toolkit import extras
from toolkit.manifest import Artifact

# How far a zero point is moved, in steps, and how wrong a scale is.
MOVED_ZERO_POINT = 10
WRONG_SCALE = 1.02
# Of symmetric weights in int8.
GREATEST_WEIGHT = 127
# TFLite's schema: TensorType.FLOAT32 and TensorType.INT8.
_TFLITE_DTYPES: dict[int, type[np.generic]] = {0: np.float32, 9: np.int8}


@dataclass
class Weights:
    """The weights of one layer, changed in place. scales: of their quantization, or None.

    values: (channels, …), a view that has the output channels first.
    """

    values: NDArray[Any]
    scales: NDArray[np.float32] | None


Edit = Callable[[Path], None]


def faults(artifact: Artifact) -> dict[str, Edit]:
    """Return the faults that can be edited into a file, by name."""
    edits: dict[str, Edit] = {"one channel's weights zeroed": _zero_channel}
    if artifact.quantization == "float32":
        edits["a NaN weight"] = _nan
    if artifact.quantization == "int8":
        edits["a scale off by 2 %"] = _wrong_scale
        edits["a wrong zero point"] = _wrong_zero_point
    if (artifact.format, artifact.quantization) == ("onnx", "int8"):
        edits["weights of 8 bits"] = _eight_bits
    return edits


def _zero_channel(path: Path) -> None:
    with _weights(path) as weights:
        norms = np.abs(weights.values.astype(np.float64)).reshape(len(weights.values), -1).sum(axis=1)
        if weights.scales is not None:
            norms *= weights.scales
        weights.values[int(norms.argmax())] = 0


def _nan(path: Path) -> None:
    with _weights(path) as weights:
        weights.values.flat[0] = np.nan


def scale_layer(path: Path, factor: float, *, layer: int) -> None:
    """Multiply the weights of one layer, counted from 0 among those that have weights, by ``factor``."""
    with _weights(path, layer) as weights:
        if weights.scales is None:
            weights.values *= np.float32(factor)
        else:
            weights.scales *= np.float32(factor)


def _wrong_scale(path: Path) -> None:
    scale_layer(path, WRONG_SCALE, layer=0)


def _weights(path: Path, layer: int = 0) -> Any:
    return _tflite_weights(path, layer) if path.suffix == ".tflite" else _onnx_weights(path, layer)


@contextmanager
def _tflite(path: Path) -> Iterator[Any]:
    """Yield a TFLite model as objects, and write it back."""
    flatbuffer_utils = extras.load("tensorflow.lite.tools.flatbuffer_utils")
    model = flatbuffer_utils.read_model(str(path))
    yield model
    flatbuffer_utils.write_model(model, str(path))


@contextmanager
def _tflite_weights(path: Path, layer: int) -> Iterator[Weights]:
    with _tflite(path) as model:
        graph = model.subgraphs[0]
        tensors = (graph.tensors[node.inputs[1]] for node in graph.operators if len(node.inputs) > 2)
        tensor = [t for t in tensors if len(t.shape) > 1 and model.buffers[t.buffer].data is not None][layer]
        buffer = model.buffers[tensor.buffer]
        values = np.frombuffer(bytes(bytearray(buffer.data)), _TFLITE_DTYPES[tensor.type]).reshape(tensor.shape).copy()
        quantization = tensor.quantization
        known = quantization is not None and quantization.scale is not None
        scales = np.array(quantization.scale, np.float32) if known else None
        yield Weights(values, scales)
        buffer.data = np.frombuffer(values.tobytes(), np.uint8)
        if scales is not None:
            quantization.scale = scales


@contextmanager
def _onnx(path: Path) -> Iterator[tuple[Any, dict[str, Any], dict[str, Any]]]:
    """Yield the graph of an ONNX model, its constants and what makes real numbers of them, and write it back."""
    onnx = extras.load("onnx")
    model = onnx.load(path)
    constants = {tensor.name: tensor for tensor in model.graph.initializer}
    dequantizers = {node.output[0]: node for node in model.graph.node if node.op_type == "DequantizeLinear"}
    yield model.graph, constants, dequantizers
    onnx.save(model, path)


@contextmanager
def _onnx_weights(path: Path, layer: int) -> Iterator[Weights]:
    onnx = extras.load("onnx")
    with _onnx(path) as (graph, constants, dequantizers):
        node = [node for node in graph.node if node.op_type in ("Conv", "MatMul", "Gemm")][layer]
        name, scale_name = node.input[1], None
        if name in dequantizers:
            name, scale_name = dequantizers[name].input[:2]
        values = onnx.numpy_helper.to_array(constants[name]).copy()
        scales = onnx.numpy_helper.to_array(constants[scale_name]).copy() if scale_name else None
        transposed = any(attribute.name == "transB" and attribute.i for attribute in node.attribute)
        channels_first = node.op_type == "Conv" or transposed
        yield Weights(values if channels_first else values.T, scales)
        constants[name].CopyFrom(onnx.numpy_helper.from_array(values, name))
        if scale_name:
            constants[scale_name].CopyFrom(onnx.numpy_helper.from_array(scales, scale_name))


def _eight_bits(path: Path) -> None:
    """Spread the weights over all that int8 holds, as a quantizer does that was not told to spare a bit.

    It is the same model, but the kernels of some CPUs saturate.
    """
    onnx = extras.load("onnx")
    to_array, from_array = onnx.numpy_helper.to_array, onnx.numpy_helper.from_array
    with _onnx(path) as (graph, constants, dequantizers):
        for layer in (node for node in graph.node if node.op_type in ("Conv", "MatMul", "Gemm")):
            weights, *bias = (dequantizers[name].input for name in layer.input[1:] if name in dequantizers)
            finer = GREATEST_WEIGHT / np.abs(to_array(constants[weights[0]])).max()
            for name, scale in (inputs[:2] for inputs in (weights, *bias)):
                for tensor, factor in ((constants[name], finer), (constants[scale], 1 / finer)):
                    values = to_array(tensor)
                    spread = np.round(values * factor) if tensor.name == name else values * factor
                    tensor.CopyFrom(from_array(spread.astype(values.dtype), tensor.name))


def _wrong_zero_point(path: Path) -> None:
    """Move the zero point of the input: in ONNX of its quantizer alone, so that its dequantizer disagrees."""
    if path.suffix == ".tflite":
        with _tflite(path) as model:
            graph = model.subgraphs[0]
            quantization = graph.tensors[graph.inputs[0]].quantization
            quantization.zeroPoint = [quantization.zeroPoint[0] + MOVED_ZERO_POINT]
        return
    onnx = extras.load("onnx")
    with _onnx(path) as (graph, constants, _):
        quantizer = next(node for node in graph.node if node.op_type == "QuantizeLinear")
        zero_point = onnx.numpy_helper.to_array(constants[quantizer.input[2]])
        moved = onnx.numpy_helper.from_array((zero_point + MOVED_ZERO_POINT).astype(zero_point.dtype), "moved")
        graph.initializer.append(moved)
        quantizer.input[2] = "moved"
