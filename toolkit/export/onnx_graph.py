"""Clean up the ONNX graph that tf2onnx writes: name the batch, fold what depends on constants alone."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from toolkit import extras
from toolkit.errors import ArtifactError
from toolkit.export.formats.base import BATCH_NAME, refusal


def simplify(model: Any) -> Any:
    """Return the model with a batch dimension called BATCH_NAME and no operator that constant folding removes."""
    model = name_batch(model)
    _fold_flatten_transposes(model)
    _fold_into_convolutions(model.graph)
    _drop_unused(model)
    return model


def write_with_one(context: Any, node: Any, name: str, arguments: Any) -> None:
    """Subtract the result of an operator that ONNX has from 1, or 1 from it; for tf2onnx.

    arguments: whether 1 comes first, as in Erfc = 1 - Erf.
    """
    (one_first,) = arguments
    result = node.output[0]
    one = context.make_const(f"{name}_one", np.array(1, np.float32)).output[0]
    inputs = [one, result] if one_first else [result, one]
    context.insert_new_node_on_output("Sub", result, name=f"{name}_with_one", inputs=inputs)


# TensorFlow's operators that ONNX lacks: those of exact GELU and of CELU.
HANDLERS = {"Erfc": (write_with_one, ["Erf", True]), "Expm1": (write_with_one, ["Exp", False])}


def check_operators(model: Any, layers: Mapping[str, str], *, opset: int) -> None:
    """Raise ArtifactError if the converter left operators of TensorFlow in the graph, which ONNX does not have."""
    has = extras.load("onnx").defs.has
    left = [node for node in model.graph.node if not has(node.op_type, opset, node.domain)]
    if left:
        said = "\n".join(f"{node.name} tf.{node.op_type}" for node in left)
        raise ArtifactError(refusal(said, layers, format_name="onnx"))


def name_batch(model: Any) -> Any:
    """Call the first dimension of every input and output BATCH_NAME."""
    for value in (*model.graph.input, *model.graph.output):
        value.type.tensor_type.shape.dim[0].dim_param = BATCH_NAME
    return model


def _fold_flatten_transposes(model: Any) -> None:
    """Remove each Transpose that only feeds a flattening Reshape before a MatMul with constant weights.

    tf2onnx computes convolutions channels-first and transposes back before it flattens. Flattening in the order that
    is there already, with the rows of the weights in the same order, gives the same sums without moving the data.
    """
    onnx = extras.load("onnx")
    graph = model.graph
    shapes = _static_shapes(onnx.shape_inference.infer_shapes(model).graph)
    constants = {tensor.name: tensor for tensor in graph.initializer}
    for transpose in [node for node in graph.node if node.op_type == "Transpose"]:
        reshape = _only_consumer(graph, transpose, "Reshape")
        matmul = _only_consumer(graph, reshape, "MatMul") if reshape is not None else None
        shape = shapes.get(transpose.input[0])
        if reshape is None or matmul is None or shape is None or matmul.input[1] not in constants:
            continue
        permutation = next(list(a.ints) for a in transpose.attribute if a.name == "perm")
        target = onnx.numpy_helper.to_array(constants[reshape.input[1]]) if reshape.input[1] in constants else None
        if permutation[0] != 0 or target is None or len(target) != 2 or target[0] not in (0, -1):
            continue
        # Axis k of the transposed tensor (without the batch) is axis axes[k] of the original.
        axes = [axis - 1 for axis in permutation[1:]]
        weights = onnx.numpy_helper.to_array(constants[matmul.input[1]])
        transposed = [shape[1:][axis] for axis in axes]
        unfolded = weights.reshape(*transposed, weights.shape[1])
        reordered = unfolded.transpose(*np.argsort(axes), len(axes)).reshape(weights.shape)
        name = f"{matmul.input[1]}_channels_first"
        graph.initializer.append(onnx.numpy_helper.from_array(np.ascontiguousarray(reordered), name))
        matmul.input[1] = name
        reshape.input[0] = transpose.input[0]
        graph.node.remove(transpose)


def _fold_into_convolutions(graph: Any) -> None:
    """Multiply and add what follows a Conv, by constants for each channel, into its weights and its bias.

    That is a batch normalization. TensorFlow folds it into plain convolutions, and leaves it behind those by channel.
    """
    arrays = extras.load("onnx").numpy_helper
    constants = {tensor.name: tensor for tensor in graph.initializer}
    for convolution in [node for node in graph.node if node.op_type == "Conv" and node.input[1] in constants]:
        weights = arrays.to_array(constants[convolution.input[1]])
        channels, ones = len(weights), (1,) * (weights.ndim - 2)
        bias = arrays.to_array(constants[convolution.input[2]]) if len(convolution.input) > 2 else np.zeros(channels)
        folded = False
        while after := _only_consumer(graph, convolution, "Mul") or _only_consumer(graph, convolution, "Add"):
            values = arrays.to_array(constants[after.input[1]]) if after.input[1] in constants else np.zeros(0)
            if values.size != channels or values.shape[-len(ones) - 1 :] != (channels, *ones):
                break
            by_channel = values.reshape(channels)
            if after.op_type == "Mul":
                weights, bias = weights * by_channel.reshape(channels, 1, *ones), bias * by_channel
            else:
                bias = bias + by_channel
            convolution.output[0] = after.output[0]
            graph.node.remove(after)
            folded = True
        if folded:
            names = [f"{convolution.output[0]}/{part}" for part in ("weights", "bias")]
            for name, values in zip(names, (weights, bias), strict=True):
                graph.initializer.append(arrays.from_array(values.astype(np.float32), name))
            convolution.input[1:] = names


def _only_consumer(graph: Any, node: Any, op_type: str) -> Any | None:
    """Return the one node that reads the output of ``node``, if it is of that type and reads it first."""
    readers = [reader for reader in graph.node if node.output[0] in reader.input]
    if len(readers) == 1 and readers[0].op_type == op_type and readers[0].input[0] == node.output[0]:
        return readers[0]
    return None


def _static_shapes(graph: Any) -> dict[str, list[int]]:
    """Return the shapes of the tensors that are known but for the batch, which is given as 0."""
    shapes = {}
    for value in (*graph.input, *graph.value_info, *graph.output):
        dimensions = value.type.tensor_type.shape.dim
        if dimensions and all(d.HasField("dim_value") for d in dimensions[1:]):
            shapes[value.name] = [0, *(d.dim_value for d in dimensions[1:])]
    return shapes


def _drop_unused(model: Any) -> None:
    """Remove the constants that no node reads."""
    read = {name for node in model.graph.node for name in node.input}
    for tensor in [tensor for tensor in model.graph.initializer if tensor.name not in read]:
        model.graph.initializer.remove(tensor)
