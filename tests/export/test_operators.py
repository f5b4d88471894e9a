"""Layers that converters do not know by themselves: converted to what Keras answers, or refused in one sentence."""

import numpy as np
import pytest

from toolkit import extras, golden, manifest
from toolkit.data.base import make_dataset
from toolkit.errors import ArtifactError, ExportFailedError
from toolkit.export import sources
from toolkit.export.exporter import ExportOptions, export
from toolkit.export.formats import plan
from toolkit.export.formats.base import refusal
from toolkit.runtimes.keras.loading import allowing

pytestmark = pytest.mark.slow

MOST_OF_FLOAT32 = 1e-5


def untrained(text):
    """Take the warning that a model which has learned nothing is near chance, and no other."""
    assert "near chance" in text or "no better than chance" in text


@pytest.fixture
def exported_model(tiny, tmp_path):
    """Export a model on the tiny data, and return what that came to. Weights that are drawn are the same each time."""
    extras.load("keras").utils.set_random_seed(0)

    def run(model, *, quantizations=("float32", "int8"), data=tiny):
        model.save(tmp_path / "own.keras")
        options = ExportOptions(plan([], list(quantizations)), 40)
        return export(sources.resolve(str(tmp_path / "own.keras")), data, tmp_path / "out", options, warn=untrained)

    return run


def differences(exported):
    """Return the largest difference of each artifact's outputs from Keras', by file."""
    record = golden.read(exported.manifest.golden_path)
    return {name: float(np.abs(outputs - record.reference).max()) for name, outputs in record.recorded.items()}


def pictures(keras):
    layers = keras.layers
    return [
        keras.Input((8, 8, 1)),
        layers.Resizing(6, 7, antialias=True),
        layers.Resizing(8, 9, interpolation="bicubic"),
        layers.Conv2D(8, 3, activation="gelu", padding="same"),
        layers.Conv2D(8, 3, groups=4, activation="celu"),
        layers.GlobalMaxPooling2D(),
        layers.Dense(3, activation="softmax"),
    ]


def sequences(keras):
    layers = keras.layers
    return [
        keras.Input((8, 8)),
        layers.Cropping1D((4, 0)),  # each step is a part of the graph
        layers.Dense(3, activation="relu"),
        layers.Masking(),  # some rows are 0 now
        layers.Bidirectional(layers.LSTM(4, return_sequences=True)),
        layers.GRU(4),
        layers.Dense(3, activation="softmax"),
    ]


def attentive(keras):
    layers = keras.layers
    image = keras.Input((8, 8))
    rows = layers.Conv1D(8, 3, padding="causal")(image)
    rows = layers.LayerNormalization()(layers.MultiHeadAttention(2, 4)(rows, rows) + rows)
    pooled = layers.GlobalAveragePooling1D()(layers.Attention()([rows, rows]))
    return image, layers.Dense(3, activation="softmax")(pooled)


def normalized(keras):
    adapted = keras.layers.Normalization(axis=None)
    adapted.adapt(np.random.default_rng(0).normal(5, 3, (100, 8, 8, 1)))
    return [keras.Input((8, 8, 1)), adapted, keras.layers.Flatten(), keras.layers.Dense(3, activation="softmax")]


@pytest.mark.parametrize("make", [pictures, sequences, attentive, normalized])
def test_rewritten_operators_answer_as_keras_does(exported_model, make):
    made = make(keras := extras.load("keras"))
    exported = exported_model(keras.Sequential(made) if isinstance(made, list) else keras.Model(*made))
    assert exported.failures == {}
    found = differences(exported)
    assert len(found) == 4
    assert max(found[name] for name in found if "float32" in name) < MOST_OF_FLOAT32
    assert max(found.values()) < 0.05
    assert {artifact.inputs[0].shape[0] for artifact in manifest.read(exported.manifest.folder).artifacts} == {None}


@pytest.mark.parametrize("shape", [(8, 8), (8, 8, 1)])
def test_steps_that_are_the_same_in_all_rows_have_ranges(exported_model, tiny, shape):
    """The first rows of these images are black, as those of MNIST; XNNPACK refuses steps without a range."""
    keras = extras.load("keras")
    rows = [part.images.copy() for part in (tiny.train, tiny.test)]
    for images in rows:
        images[:, :2] = 0
    data = make_dataset((rows[0], tiny.train.labels, rows[1], tiny.test.labels), name="edged", origin="tests")
    rows_of = [keras.Input(shape), *([keras.layers.Reshape((8, 8))] if len(shape) > 2 else [])]
    layers = [*rows_of, keras.layers.LSTM(4), keras.layers.Dense(3, activation="softmax")]
    exported = exported_model(keras.Sequential(layers), quantizations=["int8"], data=data)
    assert exported.failures == {}
    assert max(differences(exported).values()) < 0.05


SPECTRUM = """
import keras
import tensorflow as tf

@keras.saving.register_keras_serializable("tests")
class Spectrum(keras.layers.Layer):
    def call(self, inputs):
        return tf.linalg.svd(inputs, compute_uv=False)
"""


def test_what_cannot_be_converted_is_one_sentence_with_the_layer_and_the_remedy(exported_model, tmp_path):
    keras = extras.load("keras")
    (own := tmp_path / "spectrum.py").write_text(SPECTRUM)
    with allowing([own]):
        spectrum = keras.saving.get_registered_object("tests>Spectrum")(name="spectrum")
        steps = [keras.Input((8, 8, 1)), keras.layers.Reshape((8, 8)), spectrum, keras.layers.Dense(3)]
        with pytest.raises(ExportFailedError) as caught:
            exported_model(keras.Sequential(steps), quantizations=["float32"])
    first = str(caught.value).split("; ")[0]
    assert all("the layer 'spectrum' (Spectrum) needs Svd, " in one for one in str(caught.value).split("own-")[1:]), (
        caught
    )
    assert first == ("own-float32.onnx: the layer 'spectrum' (Spectrum) needs Svd, which has no counterpart in onnx")


def test_the_first_layer_of_the_path_is_named():
    layers = {"encoder": "Encoder", "norm": "UnitNormalization"}
    said = "loc(\"m/encoder/norm/Svd\"): error: 'tf.Svd' op is neither a custom op nor a flex op"
    assert refusal(said, layers, format_name="tflite") == (
        "the layer 'encoder' (Encoder) needs Svd, which has no counterpart in tflite; replace it, or leave this "
        "tflite out by --format or --quantize"
    )
    several = said.replace("error:", "error: 'tf.Qr' op;")
    assert "needs Qr, Svd, which have no counterpart in tflite" in refusal(several, layers, format_name="tflite")
    assert refusal("segmentation", layers, format_name="onnx").startswith("the converter to onnx gave up, ")


def test_a_model_whose_code_is_not_allowed_is_not_exported(exported_model):
    keras = extras.load("keras")
    steps = [keras.layers.Lambda(lambda x: 2 * x), keras.layers.Flatten(), keras.layers.Dense(3)]
    with pytest.raises(ArtifactError, match=r"own\.keras: has a Lambda layer"):
        exported_model(keras.Sequential([keras.Input((8, 8, 1)), *steps]))
