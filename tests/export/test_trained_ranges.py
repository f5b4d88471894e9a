"""Exports of models that learned with the rounding of integer kernels: int8 files carry what training found."""

import shutil

import numpy as np
import pytest

from toolkit import api, extras, manifest, runtimes
from toolkit.convention import Convention
from toolkit.data.base.parts import divide
from toolkit.errors import UsageError
from toolkit.export.exporter import ExportOptions, export
from toolkit.export.formats import onnx, tflite
from toolkit.export.formats.base import Request
from toolkit.export.prepare import prepare
from toolkit.export.sources import resolve
from toolkit.parity.localize import localize
from toolkit.runtimes.keras.loading import load_model
from toolkit.training.quantization import fake_quantized


def answers_in_steps(path, model, images):
    """Return the answers before the softmax, of a file and of Keras, in steps of the integers that they lie on."""
    keras = extras.load("keras")
    expected = keras.Model(model.inputs[0], model.layers[-1].input)(images).numpy()
    low, high = (float(bound.numpy()) for bound in (model.layers[-2].low, model.layers[-2].high))
    if path.suffix == ".tflite":
        given = runtimes.get("litert").trace(path, images)[-2].values
    else:  # logarithms of probabilities are logits but for a constant of each image
        given = np.log(runtimes.open_session(path).run(images))
        given += (expected - given).mean(axis=1, keepdims=True)
    return 255 * given / (high - low), 255 * expected / (high - low)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["tiny-int8.tflite", "tiny-int8.onnx"])
def test_int8_answers_as_keras_within_one_step(trained_export, tiny, name):
    model = load_model(trained_export / "tiny.keras")
    given, expected = answers_in_steps(trained_export / name, model, tiny.test.images / np.float32(255))
    assert np.abs(given - expected).max() < 1.1
    assert (given.argmax(axis=1) == expected.argmax(axis=1)).all()
    # Rounding where a sum lies in the middle of two steps is the kernels' own; other ranges would be off everywhere.
    assert np.mean(np.abs(given - expected) > 0.1) < 0.1


@pytest.mark.slow
def test_the_manifest_says_that_ranges_were_trained(trained_export):
    found = manifest.read(trained_export)
    assert found.calibration.is_trained
    assert (
        "have the ranges and rounded weights that the model was trained with"
        in (trained_export / "README.md").read_text()
    )


@pytest.mark.slow
def test_no_artifact_fails_beside_the_model_that_rounds(trained_export, tiny_npz, tmp_path):
    folder = shutil.copytree(trained_export, tmp_path / "tiny")
    result = api.verify(folder, data=tiny_npz, margin_pp=5.0, save=True)
    assert {one.artifact: one.problem for one in result.comparisons if one.problem} == {}
    assert max(one.figures.max_abs_error for one in result.comparisons) > 1e-4  # of those in float
    assert api.check_record(folder / "parity.json").differences == ()


@pytest.mark.slow
@pytest.mark.parametrize("name", ["tiny-int8.tflite", "tiny-float32.tflite"])
def test_no_layer_is_damaged_by_rounding_where_it_was_trained_to(trained_export, tiny, name):
    found = manifest.read(trained_export)
    (artifact,) = (one for one in found.artifacts if one.path == name)
    localized = localize(found, artifact, tiny.test.images)
    assert localized.culprit is None, [(layer.name, layer.own_sqnr_db) for layer in localized.layers]


@pytest.mark.slow
def test_calibration_images_are_refused(rounding_folder, tiny, tmp_path):
    options = ExportOptions([("tflite", "int8")], calibration_count=20)
    with pytest.raises(UsageError, match="brings the ranges that it was trained with; leave --calibration out"):
        export(resolve(str(rounding_folder)), tiny, tmp_path, options, warn=pytest.fail)


@pytest.mark.slow
def test_both_formats_hold_the_same_weights_whatever_the_layers(tmp_path, tiny):
    keras = extras.load("keras")
    layers = keras.layers
    keras.utils.set_random_seed(0)
    given = keras.Input((8, 8, 1), name="image")
    one = layers.Conv2D(4, 3, padding="same", activation="relu6")(given)
    two = layers.SeparableConv2D(4, 3, padding="same", use_bias=False)(one)
    added = layers.Activation("relu")(layers.Add()([one, layers.BatchNormalization()(two)]))
    flat = layers.Reshape((16, 4))(layers.MaxPooling2D()(added))
    steps = layers.Conv1D(3, 3, activation="tanh")(flat)
    answer = layers.Dense(3, activation="softmax")(
        layers.Dense(5, "leaky_relu")(layers.GlobalAveragePooling1D()(steps))
    )
    model = fake_quantized(keras, keras.Model(given, answer), divide(tiny, share=0.2, seed=0))
    prepared, images = prepare(model, tmp_path), tiny.test.images / np.float32(255)
    request = Request("int8", images[:0], Convention())  # nothing to calibrate with
    tflite.convert(prepared, request, tmp_path / "m.tflite")
    onnx.convert(prepared, request, tmp_path / "m.onnx")
    nodes = runtimes.get("litert").nodes(tmp_path / "m.tflite")
    assert "DEQUANTIZE" not in {node.operator.name for node in nodes}
    for name in ("m.tflite", "m.onnx"):
        given_steps, expected = answers_in_steps(tmp_path / name, model, images)
        assert np.abs(given_steps - expected).max() < 3, name
    weights = [sorted(map(tuple, one)) for one in (of_tflite(tmp_path / "m.tflite"), of_onnx(tmp_path / "m.onnx"))]
    assert len(weights[0]) == 6
    assert weights[0] == weights[1]


def of_tflite(path):
    """Return the sorted weights of each layer."""
    interpreter = extras.load("ai_edge_litert.interpreter").Interpreter(str(path))
    tensors = interpreter.get_tensor_details()
    kept = [one for one in tensors if one["dtype"] == np.int8 and len(one["quantization_parameters"]["scales"]) > 1]
    return [np.sort(interpreter.get_tensor(one["index"]).reshape(-1)).tolist() for one in kept]


def of_onnx(path):
    """Return the sorted weights of each layer."""
    found = extras.load("onnx")
    arrays = [found.numpy_helper.to_array(tensor) for tensor in found.load(path).graph.initializer]
    return [np.sort(one.reshape(-1)).tolist() for one in arrays if one.dtype == np.int8 and one.ndim > 1]
