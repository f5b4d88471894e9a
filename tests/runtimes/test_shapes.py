"""Inputs with more sizes free than the batch: they are given by name, and hold for what is run after."""

import numpy as np
import pytest

from toolkit import extras
from toolkit.bench.dissect import profile
from toolkit.bench.measure import TimedModel
from toolkit.convention import STANDARD
from toolkit.errors import ArtifactError
from toolkit.report.graph import read
from toolkit.runtimes import get, open_session
from toolkit.runtimes.base.graph import Node, Operator

pytestmark = pytest.mark.training


def pooled(path, shape=("batch", 3, "height", "width")):
    """Save a network that answers with the mean of each channel, of images of any size."""
    from onnx import TensorProto, helper, save

    graph = helper.make_graph(
        [
            helper.make_node("GlobalAveragePool", ["pixels"], ["means"]),
            helper.make_node("Flatten", ["means"], ["flat"]),
        ],
        "means",
        [helper.make_tensor_value_info("pixels", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info("flat", TensorProto.FLOAT, ["batch", 3])],
    )
    save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8), path)
    return path


def convolved(path):
    """Save a network with a convolution by 4 filters of 5×5, of images of any size of 5×5 or more."""
    from onnx import helper, load, numpy_helper, save

    model = load(pooled(path))
    weights = numpy_helper.from_array(np.ones((4, 3, 5, 5), np.float32), "weights")
    model.graph.initializer.append(weights)
    model.graph.node.insert(0, helper.make_node("Conv", ["pixels", "weights"], ["filtered"]))
    model.graph.node[1].input[0] = "filtered"
    model.graph.output[0].type.tensor_type.shape.dim[1].dim_value = 4
    save(model, path)
    return path


def timed(path, shapes):
    return TimedModel(lambda: open_session(path), None, batch=1, shapes=shapes)


def test_an_input_of_any_size_is_timed_in_the_shape_that_is_given(tmp_path):
    path = pooled(tmp_path / "pooled.onnx")
    with pytest.raises(
        ArtifactError, match=r"takes pixels \(None, 3, None, None\); only the batch, .* by --shape NAME:1"
    ):
        timed(path, {})
    subject = timed(path, {"pixels": [2, 3, 8, 4], "of another file": [1]})
    assert subject._inputs[0][0].shape == (2, 3, 8, 4)
    assert subject.batch == 1  # an inference takes its inputs as they are


@pytest.mark.parametrize("shapes", [{"pixels": [1, 3, 16, 16]}, {"of another file": [1]}])
def test_an_input_without_free_sizes_stays_as_it_is(tmp_path, shapes):
    assert timed(pooled(tmp_path / "fixed.onnx", (1, 3, 8, 8)), shapes)._inputs[0][0].shape == (1, 3, 8, 8)


@pytest.mark.parametrize(
    ("shapes", "says"),
    [
        ({"image": [1, 3, 8, 8]}, r"has no input 'image'; it takes pixels \(None, 3, None, None\)"),
        ({"pixels": [1, 3, 8]}, r"takes pixels \(None, 3, None, None\), which cannot be \(1, 3, 8\)"),
        ({"pixels": [1, 4, 8, 8]}, r"which cannot be \(1, 4, 8, 8\)"),
        ({"pixels": [10**6, 3, 10**6, 10**6]}, "bytes of memory"),
    ],
)
def test_a_shape_that_cannot_be_is_refused(tmp_path, shapes, says):
    with pytest.raises(ArtifactError, match=rf"pooled\.onnx: .*{says}"):
        timed(pooled(tmp_path / "pooled.onnx"), shapes)


def test_what_depends_on_sizes_that_are_free_is_not_known(tmp_path):
    """A 5×5 filter runs on no image of one pixel, which would stand for any."""
    path = convolved(tmp_path / "convolved.onnx")
    for found in (get("onnxruntime").nodes(path), read(path).nodes):
        assert {one.shape for one in found} == {None}
        assert [one.operator.macs for one in found if one.parameters] == [None]
    found = get("onnxruntime").nodes(path, shapes={"pixels": [1, 3, 8, 8]})
    (macs,) = [one.operator.macs for one in found if one.parameters]
    assert macs >= 4 * 4 * 4 * 3 * 5 * 5  # a CPU may compute more filters, of zeros
    assert found[-1].shape == (1, 4)


@pytest.mark.parametrize(("macs", "left"), [(0, 0), (75, None), (None, None)])
def test_where_sizes_are_free_only_no_multiplications_are_a_figure(macs, left):
    node = Node(Operator("Conv", "XNNPACK", macs), "filtered", (1, 4), 300, (-1,))
    assert node.without_sizes == Node(Operator("Conv", "XNNPACK", left), "filtered", None, 300, (-1,))


def test_an_artifact_is_taken_apart_in_the_shape_that_it_was_measured_in(tmp_path):
    path = convolved(tmp_path / "convolved.onnx")
    found = profile(get("onnxruntime"), path, None, threads=1, batch=1, timed=True, shapes={"pixels": [1, 3, 8, 8]})
    assert len(found["prefixes_s"]) == len(found["operators"]) + 1


@pytest.mark.slow
def test_litert_takes_the_shape_too(tmp_path):
    tf, keras = extras.load("tensorflow"), extras.load("keras")
    image = keras.Input((None, None, 3), name="image")
    model = keras.Model(image, keras.layers.GlobalAveragePooling2D()(image))
    with extras.streams_to(tmp_path / "log"):
        model.export(tmp_path / "saved", verbose=False)
        content = tf.lite.TFLiteConverter.from_saved_model(str(tmp_path / "saved")).convert()
    path = tmp_path / "pooled.tflite"
    path.write_bytes(content)
    session = open_session(path)
    session.fix({session.input.name: (2, 8, 4, 3)})
    values = np.random.default_rng(0).random((2, 8, 4, 3)).astype(np.float32)
    np.testing.assert_allclose(session.run(values), values.mean(axis=(1, 2)), atol=1e-6)
    assert {one.shape for one in get("litert").nodes(path)} == {None}
    shape = (1, 8, 4, 3)
    assert get("litert").nodes(path, shapes={session.input.name: shape})[-1].shape == (1, 3)
    free = open_session(path)
    free.convention = STANDARD[1]
    np.testing.assert_allclose(free.predict(np.full(shape, 7, np.uint8)), [[7, 7, 7]], atol=1e-5)
