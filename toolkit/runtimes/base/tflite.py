"""The graph of a ``.tflite`` file: what its operators compute, the graph cut short, and a graph of one dense layer."""

from collections.abc import Iterable, Mapping, Sequence
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from toolkit.runtimes.base.graph import FLOAT32, INT8, Node, Operator, convolution_macs, edges, product_macs

# Places of the left side and of the weights among the inputs, by operator (TensorFlow Lite's schema.fbs).
_CONVOLUTIONS = {"CONV_2D": 1}
_PRODUCTS = {"FULLY_CONNECTED": (0, 1), "BATCH_MATMUL": (0, 1)}
_DEPTHWISE, _TRANSPOSED, _CONV_3D = "DEPTHWISE_CONV_2D", "TRANSPOSE_CONV", "CONV_3D"
# They multiply, in loops or blocks that their shapes do not tell.
_UNKNOWN = ("LSTM", "RNN", "SVDF", "WHILE", "IF", "STABLEHLO", "CUSTOM", "CALL")
# A scale that keeps the products of a probe in range; what it computes does not matter.
_SCALE = 1 / 64


def work(
    name: str, inputs: Sequence[dict[str, Any] | None], outputs: Sequence[dict[str, Any] | None]
) -> tuple[int | None, str | None]:
    """Return the multiply-accumulates of an operator, and what it multiplies in. inputs, outputs: tensor details."""
    shapes = [() if tensor is None else tuple(int(size) for size in tensor["shape"]) for tensor in inputs]
    result = tuple(int(size) for size in outputs[0]["shape"]) if outputs and outputs[0] else ()
    weights = 1
    if name in _CONVOLUTIONS:
        macs = convolution_macs(result, shapes[1])
    elif name == _DEPTHWISE:  # weights: (1, height, width, channels)
        macs = prod(result) * prod(shapes[1][1:3])
    elif name == _TRANSPOSED:  # inputs: shape of the output, weights (channels, height, width, …), values
        macs = prod(shapes[2]) * prod(shapes[1][:3])
    elif name == _CONV_3D:  # weights: (depth, height, width, …, channels)
        macs = prod(result) * prod(shapes[1][:-1])
    elif name in _PRODUCTS:
        macs = product_macs(shapes[0], result)
    else:
        return (None if any(word in name for word in _UNKNOWN) else 0), None
    tensor = inputs[weights]
    return macs, INT8 if tensor is not None and np.dtype(tensor["dtype"]).itemsize == 1 else FLOAT32


def live(inputs: Iterable[int], operators: Sequence[tuple[Iterable[int], Iterable[int]]]) -> set[int]:
    """Return the tensors that depend on the inputs. operators: the tensors that each takes and gives out, in order."""
    depending = {int(tensor) for tensor in inputs}
    for taken, given in operators:
        if depending & {int(tensor) for tensor in taken}:
            depending |= {int(tensor) for tensor in given}
    return depending


def nodes(
    operators: Sequence[dict[str, Any]],
    tensors: Mapping[int, dict[str, Any]],
    inputs: Iterable[int],
    kernels: Mapping[int, str],
) -> list[Node]:
    """Return operators at their places. tensors: by index; kernels: what executes an operator, by its first output.

    A constant that is only unpacked is unpacked once, not at each inference, so the output of that operator counts as a
    constant.
    """
    every = [([int(one) for one in each["inputs"]], [int(one) for one in each["outputs"]]) for each in operators]
    flowing = live(inputs, every)
    takes = edges([([one for one in taken if one in flowing], given) for taken, given in every])
    listed = []
    for operator, (taken, given), before in zip(operators, every, takes, strict=True):
        name = str(operator["op_name"])
        macs, arithmetic = work(name, [tensors.get(one) for one in taken], [tensors.get(one) for one in given])
        kept = {*taken} - flowing if flowing & {*given} else set()
        constants = [tensors[one] for one in kept if one in tensors]
        numbers = (one for one in constants if arithmetic or np.dtype(one["dtype"]).kind == "f")
        output = tensors.get(given[0]) if given else None
        listed.append(
            Node(
                Operator(name, kernels[given[0]] if given else "", macs, arithmetic, sum(map(size_bytes, constants))),
                name=str(output["name"]) if output else "",
                shape=tuple(int(size) for size in output["shape"]) if output else None,
                parameters=sum(prod(int(size) for size in one["shape"]) for one in numbers),
                takes=before,
            )
        )
    return listed


def size_bytes(tensor: dict[str, Any]) -> int:
    """Return the bytes of a tensor's values."""
    return prod(int(size) for size in tensor["shape"]) * int(np.dtype(tensor["dtype"]).itemsize)


def prefixes(format_module: Any, content: bytes) -> list[bytes]:
    """Return a file cut off after none of the operators of its main graph, after the first, … after all.

    A cut graph gives out what the operators that are missing would take. Weights that are only unpacked (float16) are
    not given out: that would make LiteRT unpack them at each inference, which the whole graph does not.
    """
    model = format_module.convert_bytearray_to_object(bytearray(content))
    main = model.subgraphs[0]
    operators, outputs = list(main.operators), list(main.outputs)
    model.signatureDefs = None  # they name the outputs of the whole graph
    flowing = live(main.inputs, [(operator.inputs, operator.outputs) for operator in operators])
    cut = []
    for count in range(len(operators) + 1):
        done, rest = operators[:count], operators[count:]
        wanted = {tensor for operator in rest for tensor in operator.inputs} | set(outputs)
        given = [tensor for operator in done for tensor in operator.outputs if tensor in wanted & flowing]
        main.operators, main.outputs = done, given or list(main.inputs)
        cut.append(bytes(format_module.convert_object_to_bytearray(model)))
    return cut


def dense(format_module: Any, *, arithmetic: str, rows: int, width: int) -> bytes:
    """Return a file of one dense layer, (rows, width) by (width, width)."""
    rng = np.random.default_rng(0)
    quantized = arithmetic == INT8
    weights: NDArray[Any] = rng.integers(-127, 128, (width, width)).astype(np.int8)
    if not quantized:
        weights = (weights * _SCALE).astype(np.float32)
    types = format_module.TensorType
    dtype = types.INT8 if quantized else types.FLOAT32
    schema = format_module.schema_fb

    def tensor(name: str, shape: Sequence[int], buffer: int) -> Any:
        made = schema.TensorT()
        made.name, made.shape, made.buffer, made.type = name, list(shape), buffer, dtype
        if quantized:
            made.quantization = schema.QuantizationParametersT()
            made.quantization.scale, made.quantization.zeroPoint = [_SCALE], [0]
        return made

    operator = schema.OperatorT()
    operator.inputs, operator.outputs = [0, 1, -1], [2]  # no bias
    operator.builtinOptionsType = schema.BuiltinOptions.FullyConnectedOptions
    operator.builtinOptions = schema.FullyConnectedOptionsT()
    code = schema.OperatorCodeT()
    code.builtinCode = code.deprecatedBuiltinCode = schema.BuiltinOperator.FULLY_CONNECTED
    code.version = 4  # the first with int8 (tensorflow/compiler/mlir/lite/tools/versioning/op_version.cc)
    graph = schema.SubGraphT()
    graph.tensors = [
        tensor("values", (rows, width), 0),
        tensor("weights", (width, width), 1),
        tensor("products", (rows, width), 0),
    ]
    graph.inputs, graph.outputs, graph.operators = [0], [2], [operator]
    model = schema.ModelT()
    model.version, model.subgraphs, model.operatorCodes = 3, [graph], [code]
    empty, filled = schema.BufferT(), schema.BufferT()
    filled.data = np.frombuffer(weights.tobytes(), np.uint8)
    model.buffers = [empty, filled]
    return bytes(format_module.convert_object_to_bytearray(model))
