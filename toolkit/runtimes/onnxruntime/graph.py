"""The graph of an ``.onnx`` file: what its nodes compute, the graph cut short, and a graph of one dense layer.

It is read and written with protobuf alone, which comes with ONNX Runtime: a device has no ``onnx`` package.
"""

from collections.abc import Mapping, Sequence, Set
from functools import cache
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from toolkit import extras
from toolkit.runtimes.base.graph import FLOAT32, INT8, Node, Operator, convolution_macs, edges, product_macs

# The fields of onnx.proto (https://github.com/onnx/onnx/blob/main/onnx/onnx.proto) that are read or written here, by
# message: number and type, * where repeated. Protobuf keeps the others as they are.
_FIELDS: dict[str, dict[str, tuple[int, str]]] = {
    "Model": {"ir_version": (1, "int64"), "graph": (7, "Graph"), "opset_import": (8, "*OperatorSet")},
    "OperatorSet": {"domain": (1, "string"), "version": (2, "int64")},
    "Graph": {
        "node": (1, "*Node"),
        "name": (2, "string"),
        "initializer": (5, "*Tensor"),
        "input": (11, "*Value"),
        "output": (12, "*Value"),
    },
    "Node": {
        "input": (1, "*string"),
        "output": (2, "*string"),
        "name": (3, "string"),
        "op_type": (4, "string"),
        "attribute": (5, "*Attribute"),
        "domain": (7, "string"),
    },
    "Attribute": {"name": (1, "string"), "i": (3, "int64"), "t": (5, "Tensor"), "g": (6, "Graph")},
    "Tensor": {
        "dims": (1, "*int64"),
        "data_type": (2, "int32"),
        "int32_data": (5, "*int32"),
        "name": (8, "string"),
        "raw_data": (9, "bytes"),
        "data_location": (14, "int32"),
    },
    "Value": {"name": (1, "string"), "type": (2, "Type")},
    "Type": {"tensor_type": (1, "TensorType")},
    "TensorType": {"elem_type": (1, "int32"), "shape": (2, "Shape")},
    "Shape": {"dim": (1, "*Dimension")},
    "Dimension": {"dim_value": (1, "int64")},
}
# Numbers of onnx.proto's DataType, and bytes of those that are not four long.
DATA_TYPES = {"float32": 1, "uint8": 2, "int8": 3}
_REAL = (1, 10, 11, 16)  # float32, float16, float64, bfloat16
_ITEM_BYTES = {2: 1, 3: 1, 4: 2, 5: 2, 7: 8, 9: 1, 10: 2, 11: 8, 16: 2}
IR_VERSION, OPSET = 8, 13

# Places of the left side and of the weights among the inputs, by operator, ONNX Runtime's own included
# (https://github.com/microsoft/onnxruntime/blob/main/docs/ContribOperators.md).
CONVOLUTIONS = {"Conv": (0, 1), "FusedConv": (0, 1), "NhwcFusedConv": (0, 1), "ConvInteger": (0, 1)}
CONVOLUTIONS |= {"QLinearConv": (0, 3)}
_TRANSPOSED = "ConvTranspose"
PRODUCTS = dict.fromkeys(("MatMul", "Gemm", "FusedMatMul", "FusedGemm", "MatMulInteger"), (0, 1))
PRODUCTS |= {"MatMulIntegerToFloat": (0, 1), "DynamicQuantizeMatMul": (0, 1)}
PRODUCTS |= {"QLinearMatMul": (0, 3), "QGemm": (0, 3)}
# They multiply, in loops or blocks that their shapes do not tell.
_UNKNOWN = ("LSTM", "GRU", "RNN", "Attention", "Einsum", "NBits", "Loop", "If", "Scan", "MoE", "QLinearConvTranspose")
# Trees, linear models and others, which hold their numbers as attributes.
_CLASSIC = "ai.onnx.ml"
_SCALE = 1 / 64
# How the entry begins that names the file of an external tensor: a key, its length, and a value.
_LOCATION = b"\x0a\x08location\x12"


@cache
def _model_class() -> Any:
    descriptors = extras.load("google.protobuf.descriptor_pb2")
    field_type = descriptors.FieldDescriptorProto
    file = descriptors.FileDescriptorProto(name="onnx_fields.proto", package="onnx_fields", syntax="proto2")
    for name, fields in _FIELDS.items():
        message = file.message_type.add(name=name)
        for field, (number, kind) in fields.items():
            label = field_type.LABEL_REPEATED if kind.startswith("*") else field_type.LABEL_OPTIONAL
            made = message.field.add(name=field, number=number, label=label)
            kind = kind.removeprefix("*")
            if kind in _FIELDS:
                made.type, made.type_name = field_type.TYPE_MESSAGE, f".onnx_fields.{kind}"
            else:
                made.type = getattr(field_type, f"TYPE_{kind.upper()}")
    pool = extras.load("google.protobuf.descriptor_pool").DescriptorPool()  # not the one that the onnx package fills
    pool.AddSerializedFile(file.SerializeToString())
    factory = extras.load("google.protobuf.message_factory")
    return factory.GetMessageClass(pool.FindMessageTypeByName("onnx_fields.Model"))


def parse(content: bytes) -> Any:
    """Return the model of a file."""
    return _model_class().FromString(content)


def has_weights_elsewhere(content: bytes) -> bool:
    """Say whether constants of a file lie in another one."""
    return _LOCATION in content and any(tensor.data_location for tensor in parse(content).graph.initializer)


def with_every_output(model: Any) -> bytes:
    """Return a file that gives out what every node gives out, in order."""
    copy = parse(model.SerializeToString())
    del copy.graph.output[:]
    for name in outputs(model):
        copy.graph.output.add(name=name)
    return bytes(copy.SerializeToString())


def outputs(model: Any) -> list[str]:
    """Return the names of what the nodes give out, in order."""
    return [name for node in model.graph.node for name in node.output if name]


def constants(model: Any) -> dict[str, tuple[tuple[int, ...], int]]:
    """Return shape and bytes of the constants, by name."""
    return {
        tensor.name: (tuple(tensor.dims), prod(tensor.dims) * _ITEM_BYTES.get(tensor.data_type, 4))
        for tensor in model.graph.initializer
    }


def nodes(model: Any, shapes: Mapping[str, tuple[int, ...]], one_byte: Set[str], *, kernels: str) -> list[Node]:
    """Return the nodes at their places. shapes: of what flows, by name; one_byte: names of what of it has 8 bits."""
    kept, eight = constants(model), one_byte_constants(model) | one_byte
    kinds = {tensor.name: tensor.data_type for tensor in model.graph.initializer}
    every = {name: shape for name, (shape, _) in kept.items()} | dict(shapes)
    ends = [([name for name in node.input if name and name not in kept], node.output) for node in model.graph.node]
    listed = []
    for node, before in zip(model.graph.node, edges(ends), strict=True):
        macs, arithmetic = work(node, every, eight)
        mine = {name for name in node.input if name in kept}
        numbers = (name for name in mine if arithmetic or kinds[name] in _REAL)
        output = next(iter(node.output), "")
        listed.append(
            Node(
                Operator(node.op_type, kernels, macs, arithmetic, sum(kept[name][1] for name in mine)),
                name=node.name or output,
                shape=every.get(output),
                parameters=sum(prod(kept[name][0]) for name in numbers),
                takes=before,
            )
        )
    return listed


def work(node: Any, shapes: Mapping[str, Sequence[int]], one_byte: Set[str]) -> tuple[int | None, str | None]:
    """Return the multiply-accumulates of a node, and what it multiplies in. one_byte: names of 8-bit tensors."""
    name: str = node.op_type
    places = (CONVOLUTIONS | PRODUCTS | {_TRANSPOSED: (0, 1)}).get(name)
    if places is None:
        return (None if node.domain == _CLASSIC or any(word in name for word in _UNKNOWN) else 0), None
    left, weights = (node.input[place] for place in places)
    arithmetic = INT8 if left in one_byte or weights in one_byte else FLOAT32
    if any(tensor not in shapes for tensor in (left, weights, node.output[0])):
        return None, arithmetic
    if name in CONVOLUTIONS:
        return convolution_macs(shapes[node.output[0]], shapes[weights]), arithmetic
    if name == _TRANSPOSED:
        return convolution_macs(shapes[left], shapes[weights]), arithmetic
    return product_macs(shapes[left], shapes[node.output[0]]), arithmetic


def one_byte_constants(model: Any) -> set[str]:
    """Return the names of the constants of 8-bit integers."""
    eight = {DATA_TYPES["uint8"], DATA_TYPES["int8"]}
    return {tensor.name for tensor in model.graph.initializer if tensor.data_type in eight}


def prefixes(model: Any) -> list[bytes]:
    """Return a model cut off after none of its nodes, after the first, … after all.

    A cut graph gives out what the nodes that are missing would take.
    """
    nodes, wanted_last = list(model.graph.node), list(model.graph.output)
    cut = []
    for count in range(len(nodes) + 1):
        copy = parse(model.SerializeToString())
        if count < len(nodes):
            wanted = {name for node in nodes[count:] for name in node.input} | {value.name for value in wanted_last}
            given = [name for node in nodes[:count] for name in node.output if name and name in wanted]
            del copy.graph.node[count:]
            del copy.graph.output[:]
            for name in given:
                copy.graph.output.add(name=name)
            if not given:
                copy.graph.output.extend(copy.graph.input)
        cut.append(bytes(copy.SerializeToString()))
    return cut


def dense(*, arithmetic: str, rows: int, width: int) -> bytes:
    """Return a file of one dense layer, (rows, width) by (width, width)."""
    quantized = arithmetic == INT8
    weights: NDArray[Any] = np.random.default_rng(0).integers(-127, 128, (width, width)).astype(np.int8)
    if not quantized:
        weights = (weights * _SCALE).astype(np.float32)
    model = _model_class()(ir_version=IR_VERSION)
    model.opset_import.add(domain="", version=OPSET)
    graph = model.graph
    graph.name = "dense"
    scale, zero, zero_of_weights = np.float32(_SCALE), np.uint8(0), np.int8(0)
    tensors = {"weights": weights, "scale": scale, "zero": zero, "zero_of_weights": zero_of_weights}
    for name, values in tensors.items() if quantized else [("weights", weights)]:
        content = np.asarray(values)
        number = DATA_TYPES[content.dtype.name]
        graph.initializer.add(name=name, dims=content.shape, data_type=number, raw_data=content.tobytes())
    if quantized:
        quantization = ["scale", "zero", "weights", "scale", "zero_of_weights", "scale", "zero"]
        graph.node.add(op_type="QLinearMatMul", input=["values", *quantization], output=["products"])
    else:
        graph.node.add(op_type="MatMul", input=["values", "weights"], output=["products"])
    for values, name in ((graph.input, "values"), (graph.output, "products")):
        kind = values.add(name=name).type.tensor_type
        kind.elem_type = DATA_TYPES["uint8" if quantized else "float32"]
        for size in (rows, width):
            kind.shape.dim.add(dim_value=size)
    return bytes(model.SerializeToString())
