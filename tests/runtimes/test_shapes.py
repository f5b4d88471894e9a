"""Inputs with more sizes free than the batch: they are given by name, and hold for what is run after."""

import numpy as np
import pytest

from toolkit import extras
from toolkit.bench.measure import TimedModel
from toolkit.errors import ArtifactError
from toolkit.runtimes import open_session

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
