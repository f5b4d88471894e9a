"""What the artifacts of the tiny CNN are: lean, whole, small, and beside what they answered."""

import onnx
import pytest

from toolkit import golden, manifest


def operators(path):
    return [node.op_type for node in onnx.load(path).graph.node]


def test_the_float32_onnx_is_lean(exported_once):
    assert operators(exported_once / "cnn-float32.onnx") == [
        "Reshape", "Conv", "Relu", "MaxPool", "Conv", "Relu", "MaxPool",
        "Reshape", "MatMul", "Add", "Relu", "MatMul", "Add", "Softmax",
    ]  # fmt: skip


@pytest.mark.parametrize("name", ["cnn-float32.onnx", "cnn-int8.onnx"])
def test_the_onnx_files_are_clean(exported_once, name):
    model = onnx.load(exported_once / name)
    onnx.checker.check_model(model, full_check=True)
    (given,), (result,) = model.graph.input, model.graph.output
    assert (given.name, result.name) == ("image", "probabilities")
    assert [value.type.tensor_type.shape.dim[0].dim_param for value in (given, result)] == ["batch", "batch"]
    constants = {tensor.name for tensor in model.graph.initializer}
    # A DequantizeLinear of stored weights is how QDQ keeps them in 8 bits; every other constant result could be folded.
    foldable = [n.op_type for n in model.graph.node if set(n.input) <= constants and n.op_type != "DequantizeLinear"]
    assert foldable == []
    assert not {"Shape", "Gather", "Slice", "Concat", "Transpose", "Identity"} & set(operators(exported_once / name))
    entry = next(a for a in manifest.read(exported_once).artifacts if a.path == name)
    assert entry.details["opset"] == next(o.version for o in model.opset_import if o.domain in ("", "ai.onnx"))


def test_the_int8_onnx_is_qdq_per_channel_u8s8(exported_once):
    model = onnx.load(exported_once / "cnn-int8.onnx")
    types = {tensor.name: tensor.data_type for tensor in model.graph.initializer}
    shapes = {tensor.name: list(tensor.dims) for tensor in model.graph.initializer}
    quantizers = [n for n in model.graph.node if n.op_type == "QuantizeLinear"]
    assert {types[n.input[2]] for n in quantizers} == {onnx.TensorProto.UINT8}
    weights = [n for n in model.graph.node if n.op_type == "DequantizeLinear" and types.get(n.input[0]) == 3]
    assert [32] in [shapes[n.input[1]] for n in weights]  # a scale for each of the 32 channels of the first convolution


def test_the_tflite_files_are_one_delegated_graph(exported_once):
    from ai_edge_litert.interpreter import Interpreter

    for name in ("cnn-float32.tflite", "cnn-float16.tflite", "cnn-dynamic.tflite", "cnn-int8.tflite"):
        interpreter = Interpreter(str(exported_once / name))
        interpreter.allocate_tensors()
        kinds = [details["op_name"] for details in interpreter._get_ops_details()]
        assert kinds.count("DELEGATE") == 1, name
        assert not {"SHAPE", "PACK", "STRIDED_SLICE", "VAR_HANDLE"} & set(kinds), name


def test_the_quantized_files_are_smaller(exported_once):
    sizes = {a.path: a.size_bytes for a in manifest.read(exported_once).artifacts}
    assert sizes["cnn-float16.tflite"] < 0.7 * sizes["cnn-float32.tflite"]
    assert sizes["cnn-int8.tflite"] < 0.5 * sizes["cnn-float32.tflite"]
    assert sizes["cnn-int8.onnx"] < 0.7 * sizes["cnn-float32.onnx"]


def test_the_golden_holds_what_each_artifact_answered(exported_once):
    record = golden.read(exported_once / "golden.npz")
    assert len(record.images) == 90
    for outputs in record.recorded.values():
        assert outputs.shape == record.reference.shape == (90, 3)
        assert (outputs.argmax(axis=1) == record.reference.argmax(axis=1)).mean() > 0.95
