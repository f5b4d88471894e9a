"""Which layers of a quantized graph can saturate, from graphs made here; and that such a file is opened exactly."""

import itertools

import numpy as np
import pytest

from toolkit import extras
from toolkit.errors import ArtifactError
from toolkit.runtimes import onnxruntime
from toolkit.runtimes.onnxruntime import saturation
from toolkit.runtimes.onnxruntime.saturation import LIMIT

pytestmark = pytest.mark.training  # the graphs are made by the package onnx
SCALE, WEIGHT_SCALE = 1 / 50, 1 / 100
GREATEST = 2 * 127 * 255
# A row of neighbours that fill 7 bits, and one with a weight more: 255 × 128 = 32,640 and 255 × 129 = 32,895.
JUST_RIGHT, JUST_TOO_MUCH = np.array([[64], [64], [-64], [-64]], np.int8), np.array([[1], [65], [64], [0]], np.int8)


@pytest.fixture
def helper():
    return extras.load("onnx.helper")


def constant(name, values, dtype):
    return extras.load("onnx.numpy_helper").from_array(np.asarray(values, dtype), name)


def save(path, nodes, constants, *, shape, opset=13):
    """Write a graph of "values", float32 of a shape, to "result"."""
    onnx = extras.load("onnx")
    make = onnx.helper
    values = [make.make_tensor_value_info(name, 1, size) for name, size in (("values", shape), ("result", None))]
    graph = make.make_graph(nodes, "made", values[:1], values[1:], constants)
    opsets = [make.make_opsetid("", opset), make.make_opsetid("com.microsoft", 1)]
    onnx.save(make.make_model(graph, opset_imports=opsets, ir_version=8), path)
    return path


def layer(path, weights, operator="MatMul", *, activations=np.uint8, zero_point=True, shape=None, **attributes):
    """Write a graph of one layer in QDQ form."""
    make = extras.load("onnx.helper").make_node
    zero = ["zero"] if zero_point else []
    weights = np.asarray(weights)
    constants = [constant("scale", SCALE, np.float32), constant("weights", weights, weights.dtype)]
    constants += [constant("weight_scale", WEIGHT_SCALE, np.float32), constant("coarse", 1, np.float32)]
    constants += [constant("zero", 0, activations)] if zero_point else []
    nodes = [
        make("QuantizeLinear", ["values", "scale", *zero], ["quantized"]),
        make("DequantizeLinear", ["quantized", "scale", *zero], ["activations"]),
        make("DequantizeLinear", ["weights", "weight_scale"], ["real_weights"]),
        make(operator, ["activations", "real_weights"], ["products"], "the_layer", **attributes),
        make("QuantizeLinear", ["products", "coarse", *zero], ["quantized_products"]),
        make("DequantizeLinear", ["quantized_products", "coarse", *zero], ["result"]),
    ]
    return save(path, nodes, constants, shape=shape or [1, len(weights)])


def saturating(path):
    found = onnxruntime.portability(path)
    assert found.not_analysed == ()
    return found.saturating


def test_weights_of_7_bits_cannot_saturate_and_the_first_that_can_is_told(tmp_path):
    assert saturating(layer(tmp_path / "a.onnx", JUST_RIGHT)) == {}
    assert saturating(layer(tmp_path / "b.onnx", JUST_TOO_MUCH)) == {"the_layer": 129 * 255}
    assert 128 * 255 <= LIMIT < 129 * 255


@pytest.mark.parametrize("activations", [np.uint8, np.int8])
def test_signed_activations_are_rewritten_to_unsigned_ones(tmp_path, activations):
    path = layer(tmp_path / "a.onnx", np.full((4, 2), 127, np.int8), activations=activations)
    assert saturating(path) == {"the_layer": GREATEST}


def test_activations_without_a_zero_point_are_uint8(tmp_path):
    path = layer(tmp_path / "a.onnx", np.full((4, 2), 127, np.int8), zero_point=False)
    assert saturating(path) == {"the_layer": GREATEST}


@pytest.mark.parametrize("transposed", [0, 1])
def test_neighbours_lie_along_what_is_summed(tmp_path, transposed):
    """Weights of 127 side by side in the output are never added."""
    apart = np.array([[127, 127], [0, 0], [127, 127]], np.int8)
    weights = apart.T if transposed else apart
    path = layer(tmp_path / "a.onnx", weights, "Gemm", transB=transposed, shape=[1, 3])
    assert saturating(path) == {}
    together = np.array([[127, 0], [127, 0], [0, 0]], np.int8)
    path = layer(tmp_path / "b.onnx", together.T if transposed else together, "Gemm", transB=transposed, shape=[1, 3])
    assert saturating(path) == {"the_layer": GREATEST}


@pytest.mark.parametrize("along", ["channels", "places"])
def test_neighbours_of_a_convolution_are_channels_of_a_place_and_places_of_a_channel(tmp_path, along):
    weights = np.zeros((1, 3, 1, 3), np.int8)
    weights[0, :2, 0, 1] = 100
    if along == "places":
        weights = weights.swapaxes(1, 3)
    assert saturating(layer(tmp_path / "a.onnx", weights, "Conv", shape=[1, 3, 4, 4])) == {"the_layer": 200 * 255}


def test_a_depthwise_convolution_has_kernels_of_its_own(tmp_path):
    weights = np.full((3, 1, 3, 3), 127, np.int8)
    path = layer(tmp_path / "a.onnx", weights, "Conv", shape=[1, 3, 5, 5], group=3)
    assert saturating(path) == {}
    assert_right(path, [1, 3, 5, 5])


def test_unsigned_weights_and_wide_activations_are_multiplied_right(tmp_path):
    assert saturating(layer(tmp_path / "a.onnx", np.full((4, 2), 255, np.uint8))) == {}
    assert saturating(layer(tmp_path / "b.onnx", np.full((4, 2), 127, np.int8), activations=np.int32)) == {}


def test_no_pair_of_what_is_called_right_is_more_than_an_int16_holds(tmp_path):
    rng = np.random.default_rng(0)
    verdicts = set()
    for trial in range(40):
        weights = rng.integers(-90, 90, (6, 2)).astype(np.int8)
        can = bool(saturating(layer(tmp_path / f"{trial}.onnx", weights)))
        wide = weights.astype(int)
        pairs = [
            x * one + y * two for x, y in itertools.product((0, 255), repeat=2) for one, two in itertools.pairwise(wide)
        ]
        assert can == (np.max(pairs) > LIMIT or np.min(pairs) < -LIMIT - 1)
        verdicts.add(can)
    assert verdicts == {True, False}


def integer(path, helper, operator="QLinearMatMul", *, activations=np.uint8, shared=False):
    """Write a graph of one integer operator (of two that share their weights)."""
    constants = [constant("scale", SCALE, np.float32), constant("zero", 0, activations)]
    constants += [constant("weight_scale", WEIGHT_SCALE, np.float32), constant("weight_zero", 0, np.int8)]
    constants += [constant("coarse", 4, np.float32), constant("weights", np.full((4, 4), 127), np.int8)]
    by = ["weights", "weight_scale", "weight_zero", "coarse", "zero"]
    nodes = [helper.make_node("QuantizeLinear", ["values", "scale", "zero"], ["quantized"])]
    nodes += [helper.make_node("QLinearMatMul", ["quantized", "scale", "zero", *by], ["once"], "first")]
    if shared:
        nodes += [helper.make_node("QLinearMatMul", ["once", "coarse", "zero", *by], ["twice"], "second")]
    last = nodes[-1].output[0]
    nodes += [helper.make_node("DequantizeLinear", [last, "coarse", "zero"], ["result"])]
    return save(path, nodes, constants, shape=[1, 4])


def test_integer_operators_saturate_with_unsigned_activations_alone(tmp_path, helper):
    assert saturating(integer(tmp_path / "a.onnx", helper)) == {"first": GREATEST}
    assert saturating(integer(tmp_path / "b.onnx", helper, activations=np.int8)) == {}
    both = saturating(integer(tmp_path / "c.onnx", helper, shared=True))
    assert both == {"first": GREATEST, "second": GREATEST}


def test_an_integer_product_without_a_zero_point_is_looked_at(tmp_path, helper):
    nodes = [
        helper.make_node("DynamicQuantizeLinear", ["values"], ["quantized", "scale", "zero"]),
        helper.make_node("MatMulInteger", ["quantized", "weights"], ["products"], "dense"),
        helper.make_node("Cast", ["products"], ["result"], to=1),
    ]
    weights = constant("weights", np.full((4, 2), 127), np.int8)
    assert saturating(save(tmp_path / "a.onnx", nodes, [weights], shape=[1, 4])) == {"dense": GREATEST}


def reasons(path):
    found = onnxruntime.portability(path)
    assert found.saturating == {}
    return found.not_analysed


def test_what_is_not_analysed_says_why(tmp_path, helper):
    onnx = extras.load("onnx")
    int4 = onnx.load(layer(tmp_path / "a.onnx", np.full((4, 2), 127, np.int8)))
    (weights,) = (tensor for tensor in int4.graph.initializer if tensor.name == "weights")
    weights.data_type = onnx.TensorProto.INT4
    onnx.save(int4, tmp_path / "int4.onnx")
    assert reasons(tmp_path / "int4.onnx") == ("the_layer: its weights are int4",)

    weights.data_type, weights.raw_data = onnx.TensorProto.INT8, b"\x7f"
    onnx.save(int4, tmp_path / "short.onnx")
    assert reasons(tmp_path / "short.onnx") == ("the_layer: its weights are 1 values, their shape says 8",)

    weights.ClearField("raw_data")
    weights.data_location = onnx.TensorProto.EXTERNAL
    weights.external_data.add(key="location", value="elsewhere.bin")
    (tmp_path / "external.onnx").write_bytes(int4.SerializeToString())
    assert reasons(tmp_path / "external.onnx") == ("the_layer: its weights lie in another file",)

    nodes = [helper.make_node("MatMulNBits", ["values", "w", "s"], ["result"], "nbits", domain="com.microsoft")]
    blocks = save(
        tmp_path / "blocks.onnx", nodes, [constant("w", [0], np.uint8), constant("s", [1], np.float32)], shape=[1]
    )
    assert reasons(blocks) == ("nbits: MatMulNBits holds its weights in a way of its own",)

    body = helper.make_graph([helper.make_node("QuantizeLinear", ["values", "s"], ["result"])], "body", [], [])
    nodes = [helper.make_node("If", ["condition"], ["result"], "choice", then_branch=body, else_branch=body)]
    branching = save(tmp_path / "if.onnx", nodes, [constant("condition", True, bool)], shape=[1])
    assert reasons(branching) == ("choice: If has a graph of its own",)


def test_weights_that_are_kept_as_numbers_are_read(tmp_path):
    onnx = extras.load("onnx")
    model = onnx.load(layer(tmp_path / "a.onnx", np.full((4, 2), 127, np.int8)))
    (weights,) = (tensor for tensor in model.graph.initializer if tensor.name == "weights")
    weights.ClearField("raw_data")
    weights.int32_data.extend([127, 127, 0, 0, -127, 0, -127, 0])
    onnx.save(model, tmp_path / "b.onnx")
    assert saturating(tmp_path / "b.onnx") == {"the_layer": 254 * 255}


def test_a_file_that_is_no_graph_is_one_clear_error(tmp_path):
    (tmp_path / "a.onnx").write_bytes(b"\x3a\xffQuantizeLinear")
    with pytest.raises(ArtifactError, match=r"a\.onnx: cannot be read as ONNX"):
        onnxruntime.portability(tmp_path / "a.onnx")


def run(session, shape):
    session.resize(1)
    session.set_inputs([np.full(shape, 5, np.float32)])
    session.invoke()
    return session.read_outputs()[0]


def assert_right(path, shape):
    """Hold a file, as it is opened here, against its operators one by one, which compute in float32."""
    expected = run(onnxruntime.open_session(path, kernels=onnxruntime.AS_WRITTEN), shape)
    np.testing.assert_array_equal(run(onnxruntime.open_session(path), shape), expected)


def test_whether_this_machine_saturates_is_what_its_kernels_do(tmp_path):
    """On one kind of CPU both are true, on the other both are false."""
    path = layer(tmp_path / "a.onnx", np.full((64, 64), 127, np.int8), shape=[1, 64])
    usual, written = (run(onnxruntime.open_session(path, kernels=k), [1, 64]) for k in onnxruntime.KERNELS)
    assert saturation.saturates_here() == (not np.array_equal(usual, written))


def test_a_file_that_can_saturate_is_opened_exactly_where_kernels_do(tmp_path, monkeypatch):
    path = layer(tmp_path / "a.onnx", np.full((4, 4), 127, np.int8))
    right = layer(tmp_path / "b.onnx", np.full((4, 4), 64, np.int8))
    monkeypatch.setattr(saturation, "saturates_here", lambda: False)
    assert onnxruntime.open_session(path).remark is None
    monkeypatch.setattr(saturation, "saturates_here", lambda: True)
    assert onnxruntime.open_session(path).remark.startswith("opened with session.x64quantprecision")
    assert onnxruntime.open_session(right).remark is None
    assert_right(path, [1, 4])


def test_a_graph_that_cannot_be_opened_so_is_computed_in_float(tmp_path, monkeypatch, helper):
    monkeypatch.setattr(saturation, "saturates_here", lambda: True)
    twice = two_that_share(tmp_path / "a.onnx", helper)
    assert onnxruntime.open_session(twice).remark.startswith("computed in float32")
    assert_right(twice, [1, 4])
    assert {one.operator.name for one in onnxruntime.nodes(twice)}.isdisjoint({"QLinearMatMul", "MatMulIntegerToFloat"})
    integers = integer(tmp_path / "b.onnx", helper, shared=True)
    assert "cannot open it so that they do not" in onnxruntime.open_session(integers).remark


def two_that_share(path, helper):
    """Write two layers in QDQ form that have one scale for their weights."""
    constants = [constant("scale", SCALE, np.float32), constant("zero", 0, np.uint8)]
    constants += [constant("weight_scale", WEIGHT_SCALE, np.float32), constant("weight_zero", 0, np.int8)]
    constants += [constant("coarse", 1, np.float32)]
    constants += [constant(name, np.full((4, 4), 127), np.int8) for name in ("one", "two")]
    nodes, values, scale = [], "values", "scale"
    for name in ("one", "two"):
        nodes += [
            helper.make_node("QuantizeLinear", [values, scale, "zero"], [f"{name}_in"]),
            helper.make_node("DequantizeLinear", [f"{name}_in", scale, "zero"], [f"{name}_values"]),
            helper.make_node("DequantizeLinear", [name, "weight_scale", "weight_zero"], [f"{name}_weights"]),
            helper.make_node("MatMul", [f"{name}_values", f"{name}_weights"], [f"{name}_out"], name),
        ]
        values, scale = f"{name}_out", "coarse"
    nodes += [
        helper.make_node("QuantizeLinear", [values, "coarse", "zero"], ["last"]),
        helper.make_node("DequantizeLinear", ["last", "coarse", "zero"], ["result"]),
    ]
    return save(path, nodes, constants, shape=[1, 4])
