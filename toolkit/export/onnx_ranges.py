"""The value ranges that a network was trained with, in the ONNX graph that tf2onnx writes of it.

There they stand as pairs of QuantizeLinear and DequantizeLinear. ONNX Runtime's quantizer, which lays out integer
graphs so that its kernels find them, takes a graph in float and a range for each tensor: this module makes these two.
"""

from pathlib import Path
from typing import Any

import numpy as np

from toolkit import extras

# (least, greatest) by the name of a tensor.
Ranges = dict[str, tuple[float, float]]
_STEPS = 255
# Operators that give out values of their first input.
_MOVERS = (
    *("Transpose", "Reshape", "Flatten", "Squeeze", "Unsqueeze", "Identity", "Slice", "Pad"),
    *("MaxPool", "GlobalMaxPool"),
)
# Operators that cut off, which kernels leave to the range.
_CUT = ("Relu", "Clip")


def take(model: Any) -> Ranges:
    """Remove what rounds activations from a graph, and return the ranges by the tensors that were rounded."""
    graph = model.graph
    to_array = extras.load("onnx").numpy_helper.to_array
    constants = {tensor.name: tensor for tensor in graph.initializer}
    ranges: Ranges = {}
    instead: dict[str, str] = {}
    for node in [node for node in graph.node if node.op_type in ("QuantizeLinear", "DequantizeLinear")]:
        if node.op_type == "QuantizeLinear":
            scale, zero_point = (to_array(constants[name]).astype(np.float64).item() for name in node.input[1:])
            ranges[node.input[0]] = (-zero_point * scale, (_STEPS - zero_point) * scale)
        instead[node.output[0]] = node.input[0]
        graph.node.remove(node)
    for node in graph.node:
        for number, name in enumerate(node.input):
            node.input[number] = _origin(name, instead)
    del graph.value_info[:]  # they said that some were integers
    return {_origin(name, instead): bounds for name, bounds in ranges.items()}


def _origin(name: str, instead: dict[str, str]) -> str:
    while name in instead:
        name = instead[name]
    return name


def spread(model: Any, ranges: Ranges) -> Ranges:
    """Return the ranges with those of tensors that hold the same values, or whose values are cut off to them."""
    known = dict(ranges)
    for node in model.graph.node:
        if node.op_type in _MOVERS and node.input[0] in known:
            known.setdefault(node.output[0], known[node.input[0]])
    for node in reversed(model.graph.node):
        if node.op_type in (*_CUT, *_MOVERS) and node.output[0] in known:
            known.setdefault(node.input[0], known[node.output[0]])
    return known


def write(ranges: Ranges, path: Path) -> None:
    """Write ranges as ONNX Runtime's quantizer reads them, in place of a calibration."""
    extras.load("onnxruntime")
    from onnxruntime.quantization.calibrate import CalibrationMethod, TensorsData, save_tensors_data

    data = {name: (np.float32(low), np.float32(high)) for name, (low, high) in ranges.items()}
    save_tensors_data(TensorsData(CalibrationMethod.MinMax, data), path)
