"""Whether the integer kernels of a graph can saturate, from its weights; and whether they do on this machine.

On x86-64 with AVX2 or AVX-512 and without VNNI, ONNX Runtime multiplies uint8 activations by int8 weights with
VPMADDUBSW, which adds two neighbouring products in an int16 and saturates
(https://onnxruntime.ai/docs/performance/model-optimizations/quantization.html). Weights of 7 bits never reach it.
int8 activations of a QDQ graph are rewritten to uint8 there; those of an operator such as QLinearConv are multiplied
right.
"""

import platform
from collections.abc import Iterator
from functools import cache
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from toolkit import extras
from toolkit.portability import Portability
from toolkit.runtimes.onnxruntime import graph

# The greatest sum of an int16, and the greatest activation.
LIMIT = 2**15 - 1
GREATEST_ACTIVATION = 2**8 - 1
X86_64 = ("x86_64", "AMD64")
WHERE = "x86-64 with AVX2 or AVX-512 but without VNNI"
# Float operators that are rewritten to integer ones if both of their inputs come from DequantizeLinear.
REWRITTEN = ("Conv", "MatMul", "Gemm")
# The place of the activations' zero point among the inputs, which tells their type.
_ZERO_POINTS = {"QLinearConv": 2, "QLinearMatMul": 2, "QGemm": 2, "MatMulInteger": 2, "ConvInteger": 2}
_ZERO_POINTS |= {"MatMulIntegerToFloat": 4}
# They hold weights in ways of their own.
_OTHERS = ("MatMulNBits", "QAttention", "DynamicQuantizeLSTM", "QEmbedLayerNormalization", "QMoE")
# A file in which none of these stands has no operator that is looked at here: for most it need not be parsed.
WORDS = (b"QuantizeLinear", b"QLinear", b"QGemm", b"Integer", b"DynamicQuantize", *(name.encode() for name in _OTHERS))
_UINT8, _INT8 = graph.DATA_TYPES["uint8"], graph.DATA_TYPES["int8"]
_EXTERNAL = 1
# What else onnx.proto's DataType may say of quantized weights; 16 bits and wider are never rewritten.
_NAMES = {17: "float8", 18: "float8", 19: "float8", 20: "float8", 21: "uint4", 22: "int4", 23: "float4"}
# Of the probe: more than one pair, and as many columns as a kernel takes at once.
_ROWS, _COLUMNS = 8, 16
_GREATEST_WEIGHT = 2**7 - 1
_INT32 = 6


class _NotAnalysedError(Exception):
    """Why a layer could not be looked at."""


def analyse(model: Any) -> Portability:
    """Return the layers of a graph that can saturate."""
    graph = _Graph(model)
    sums, reasons, operators = {}, list(graph.unknown()), set()
    for node in model.graph.node:
        try:
            greatest = graph.greatest_sum(node)
        except _NotAnalysedError as error:
            reasons.append(f"{_name(node)}: {error}")
            continue
        if greatest > LIMIT:
            sums[_name(node)] = greatest
            operators.add(node.op_type)
    here = bool(sums) and saturates_here()
    return Portability(sums, LIMIT, WHERE, here, operators <= set(REWRITTEN), tuple(reasons))


@cache
def saturates_here() -> bool:
    """Try it: multiply the greatest activations by the greatest weights, and see whether the sum is right."""
    if platform.machine() not in X86_64:
        return False
    ort = extras.load("onnxruntime")
    session = ort.InferenceSession(_probe(), providers=["CPUExecutionProvider"])
    (products,) = session.run(None, {"values": np.full((1, _ROWS), GREATEST_ACTIVATION, np.uint8)})
    return bool((products != _ROWS * GREATEST_ACTIVATION * _GREATEST_WEIGHT).any())


def _probe() -> bytes:
    """Return a file that multiplies (1, _ROWS) uint8 by the greatest weights: a process may open a model only for this.

    Written field by field (numbers as in graph.py), since importing protobuf takes longer than opening a small model.
    """
    weights = _field(1, _ROWS) + _field(1, _COLUMNS) + _field(2, _INT8) + _field(8, b"weights")
    weights += _field(9, bytes([_GREATEST_WEIGHT]) * (_ROWS * _COLUMNS))
    node = _field(1, b"values") + _field(1, b"weights") + _field(2, b"products") + _field(4, b"MatMulInteger")
    inner = _field(1, node) + _field(2, b"probe") + _field(5, weights)
    inner += _field(11, _value(b"values", _UINT8, (1, _ROWS))) + _field(12, _value(b"products", _INT32, (1, _COLUMNS)))
    return _field(1, graph.IR_VERSION) + _field(7, inner) + _field(8, _field(1, b"") + _field(2, graph.OPSET))


def _value(name: bytes, data_type: int, shape: tuple[int, ...]) -> bytes:
    sizes = b"".join(_field(1, _field(1, size)) for size in shape)
    return _field(1, name) + _field(2, _field(1, _field(1, data_type) + _field(2, sizes)))


def _field(number: int, value: int | bytes) -> bytes:
    """Encode a field of a message (https://protobuf.dev/programming-guides/encoding/): a number or counted bytes."""
    if isinstance(value, int):
        return _varint(number << 3) + _varint(value)
    return _varint(number << 3 | 2) + _varint(len(value)) + value


def _varint(value: int) -> bytes:
    low, high = value & 0x7F, value >> 7
    return bytes([low | 0x80]) + _varint(high) if high else bytes([low])


class _Graph:
    """The nodes and constants of a graph by name."""

    def __init__(self, model: Any) -> None:
        self._model = model
        self._makers = {name: node for node in model.graph.node for name in node.output}
        self._constants = {tensor.name: tensor for tensor in model.graph.initializer}
        for node in model.graph.node:
            if node.op_type == "Constant":
                self._constants |= {name: given.t for name in node.output for given in node.attribute if given.t.dims}
        self._inputs = {value.name: value.type.tensor_type.elem_type for value in model.graph.input}

    def unknown(self) -> Iterator[str]:
        """Yield what may hold quantized weights that are not analysed."""
        for node in self._model.graph.node:
            if node.op_type in _OTHERS:
                yield f"{_name(node)}: {node.op_type} holds its weights in a way of its own"
            if any(given.HasField("g") for given in node.attribute):
                yield f"{_name(node)}: {node.op_type} has a graph of its own"

    def greatest_sum(self, node: Any) -> int:
        """Return the greatest sum of two products that an integer kernel may add for a node; 0 if it adds none."""
        places = (graph.CONVOLUTIONS | graph.PRODUCTS).get(node.op_type)
        if places is None or max(places) >= len(node.input):
            return 0
        left, right = (node.input[place] for place in places)
        if node.op_type in REWRITTEN:
            left, right = self._quantized(left), self._quantized(right)
            if not left or not right or self._type_of(left) not in (_UINT8, _INT8, None):
                return 0
        elif self._activations(node, left) == _INT8:
            return 0
        if right not in self._constants:
            return 0
        if left in self._constants and node.op_type in REWRITTEN:
            raise _NotAnalysedError("both of its inputs are constants")
        weights = _values(self._constants[right])
        return 0 if weights is None else _greatest_sum(node, weights)

    def _quantized(self, name: str) -> str | None:
        """Return what a tensor is dequantized from."""
        maker = self._makers.get(name)
        return maker.input[0] if maker is not None and maker.op_type == "DequantizeLinear" else None

    def _activations(self, node: Any, name: str) -> int | None:
        """Return the type of what an integer operator multiplies by its weights."""
        place = _ZERO_POINTS.get(node.op_type, len(node.input))
        zero_point = node.input[place] if place < len(node.input) else ""
        return int(self._constants[zero_point].data_type) if zero_point in self._constants else self._type_of(name)

    def _type_of(self, name: str) -> int | None:
        """Return the type of a quantized tensor, or None if the graph does not tell."""
        if name in self._inputs:
            return int(self._inputs[name])
        maker = self._makers.get(name)
        if maker is None or maker.op_type not in ("QuantizeLinear", "DynamicQuantizeLinear"):
            return None
        zero_point = maker.input[2] if len(maker.input) > 2 else ""
        # Without a zero point it is uint8 (https://onnx.ai/onnx/operators/onnx__QuantizeLinear.html).
        return int(self._constants[zero_point].data_type) if zero_point in self._constants else _UINT8


def _values(tensor: Any) -> NDArray[np.int8] | None:
    """Return the values of int8 weights; None for other types that no such kernel takes."""
    if tensor.data_type in _NAMES:
        raise _NotAnalysedError(f"its weights are {_NAMES[tensor.data_type]}")
    if tensor.data_type != _INT8:
        return None
    if tensor.data_location == _EXTERNAL:
        raise _NotAnalysedError("its weights lie in another file")
    shape = tuple(tensor.dims)
    values = np.frombuffer(tensor.raw_data, np.int8) if tensor.raw_data else np.array(tensor.int32_data, np.int8)
    if values.size != prod(shape):
        raise _NotAnalysedError(f"its weights are {values.size} values, their shape says {prod(shape)}")
    return values.reshape(shape)


def _greatest_sum(node: Any, weights: NDArray[np.int8]) -> int:
    """Return the greatest sum of two neighbouring products, of whatever sign.

    Kernels add what is next to each other along a filter: its channels at one place, or its places in one channel, as
    the graph is laid out. Each is looked at. A convolution of single channels has kernels of its own, which add in
    int32.
    """
    if weights.ndim < 2:
        return 0
    if node.op_type in graph.CONVOLUTIONS:
        filters = len(weights)
        depthwise = weights.shape[1] == 1 and _attribute(node, "group", 1) > 1
        orders = () if depthwise else (weights, np.moveaxis(weights, 1, -1))
        return max((_along_last(order.reshape(filters, -1)) for order in orders), default=0)
    transposed = bool(_attribute(node, "transB", 0))
    return _along_last(weights if transposed else np.moveaxis(weights, -2, -1))


def _along_last(weights: NDArray[np.int8]) -> int:
    wide = weights.astype(np.int32)
    one, next_to_it = wide[..., :-1], wide[..., 1:]
    if not one.size:
        return 0
    up = (one.clip(min=0) + next_to_it.clip(min=0)).max()
    down = (one.clip(max=0) + next_to_it.clip(max=0)).min()
    return int(max(up, -down)) * GREATEST_ACTIVATION


def _attribute(node: Any, name: str, default: int) -> int:
    return next((int(given.i) for given in node.attribute if given.name == name), default)


def _name(node: Any) -> str:
    """Return what a layer is called: by its node, else by what it gives out."""
    return str(node.name or next(iter(node.output), node.op_type))
