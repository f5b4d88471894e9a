"""Members of ``tiny`` through the converters: a normalization is folded away, and the kernels of all runtimes agree."""

import numpy as np
import pytest

from toolkit import extras, models, runtimes
from toolkit.convention import Convention
from toolkit.export import prepare
from toolkit.export.formats import onnx, tflite
from toolkit.export.formats.base import Request

pytestmark = pytest.mark.slow

CONV, DEPTHWISE, POOL = "CONV_2D", "DEPTHWISE_CONV_2D", "MAX_POOL_2D"
HEAD = ["MEAN", "FULLY_CONNECTED", "SOFTMAX"]
MEMBERS = [
    ("tiny", (28, 28, 1), [CONV, POOL, CONV, POOL, CONV, CONV, CONV, *HEAD]),
    ("tiny:width=4,depth=2,kernel=5,conv=separable,reduce=stride", (12, 9, 3), [CONV, DEPTHWISE, CONV, *HEAD]),
    ("tiny:width=4,depth=2,conv=separable", (16, 3), ["RESHAPE", CONV, POOL, DEPTHWISE, CONV, *HEAD]),
]
# What LiteRT's operators are in ONNX, where a dense layer is of one kind or another; and what only moves or quantizes.
IN_ONNX = {CONV: "Conv", DEPTHWISE: "Conv", POOL: "MaxPool", "MEAN": "ReduceMean", "SOFTMAX": "Softmax"}
DENSE = {"float32": ["MatMul", "Add"], "int8": ["Gemm"]}
MOVED = {"Reshape", "Transpose", "QuantizeLinear", "DequantizeLinear"}


@pytest.fixture(scope="module", params=MEMBERS, ids=lambda member: member[0])
def converted(request, tmp_path_factory):
    """A member whose normalizations are no identity: (operators, rows, Keras' answers, files by suffix and kind)."""
    text, shape, operators = request.param
    extras.load("keras").utils.set_random_seed(0)
    rng = np.random.default_rng(0)
    model = models.build(text, input_shape=shape, classes=10)
    for layer in model.layers:
        if "norm" in layer.name:
            ranges = ((0.5, 1.5), (0.0, 0.5), (-0.2, 0.2), (0.5, 1.5))  # gamma, beta, mean, variance
            layer.set_weights([rng.uniform(*one, layer.gamma.shape) for one in ranges])
    dense = model.layers[-1]
    dense.set_weights([8 * weights + 0.1 for weights in dense.get_weights()])
    folder = tmp_path_factory.mktemp("tiny")
    prepared = prepare.prepare(model, folder)
    rows = rng.random((20, *shape), np.float32)
    files = {}
    for module, kind in ((tflite, "int8"), (onnx, "float32"), (onnx, "int8")):
        files[module.SUFFIX, kind] = path = folder / f"tiny-{kind}{module.SUFFIX}"
        module.convert(prepared, Request(kind, rows, Convention()), path)
    return operators, rows, np.asarray(model(rows)), files


def answers(session, rows):
    return np.concatenate([session.run(rows[start : start + 1]) for start in range(len(rows))])


def test_an_int8_file_has_the_operators_of_the_network_and_no_other(converted):
    operators, _, _, files = converted
    nodes = runtimes.get("litert").nodes(files[".tflite", "int8"])
    assert [node.operator.name for node in nodes] == operators
    assert {node.operator.arithmetic for node in nodes if node.operator.macs} == {"int8"}
    assert {node.operator.kernels for node in nodes[:-1]} == {"XNNPACK"}  # which has no int8 softmax


@pytest.mark.parametrize("kind", ["float32", "int8"])
def test_an_onnx_file_has_no_operator_of_a_normalization(converted, kind):
    operators, _, _, files = converted
    graph = extras.load("onnx").load(files[".onnx", kind]).graph
    names = [node.op_type for node in graph.node if node.op_type not in MOVED | {"Relu"}]
    *inner, _, last = (IN_ONNX.get(name) for name in operators if name != "RESHAPE")
    assert names == [*inner, *DENSE[kind], last]


def test_float32_answers_as_keras_does(converted):
    _, rows, expected, files = converted
    assert expected.max() - expected.min() > 0.5
    given = answers(runtimes.open_session(files[".onnx", "float32"]), rows)
    np.testing.assert_allclose(given, expected, atol=1e-5)


@pytest.mark.parametrize("runtime", ["litert", "onnxruntime", *(["tflm"] if runtimes.installed("tflm") else [])])
def test_int8_answers_nearly_so_on_every_runtime(converted, runtime):
    _, rows, expected, files = converted
    path = files[".onnx" if runtime == "onnxruntime" else ".tflite", "int8"]
    given = answers(runtimes.get(runtime).open_session(path), rows)
    assert np.abs(given - expected).mean() < 0.02
    assert np.abs(given - expected).max() < 0.15


def test_the_default_on_digits_takes_less_than_16_kb(converted):
    _, rows, _, files = converted
    if rows.shape[1:] == (28, 28, 1):
        assert files[".tflite", "int8"].stat().st_size < 16_000
