"""A SavedModel is exported as a Keras model is, if it does nothing but compute; else it is refused, unloaded."""

import base64
import json
import zipfile

import numpy as np
import pytest

from tests.export.made_up import SIDE, dataset_of, exported, judged, network
from tests.in_this_process import InThisProcess
from toolkit import extras, golden
from toolkit.errors import ArtifactError
from toolkit.export import saved_model, sources
from toolkit.export.exporter import ExportOptions, export
from toolkit.runtimes import open_session

pytestmark = [pytest.mark.training, pytest.mark.slow]
IMAGES = (None, SIDE, SIDE, 3)


@pytest.fixture
def tf():
    return extras.load("tensorflow")


@pytest.fixture
def here_alone(monkeypatch):
    """What is frozen and answers in this process, which has TensorFlow already."""
    monkeypatch.setattr(saved_model, "Process", InThisProcess)


def saved(tf, folder, compute, **signatures):
    """Save a module that computes the answer of images."""
    module = tf.Module()
    module.weights = tf.Variable(np.full((SIDE * SIDE * 3, 3), 0.01, np.float32))
    spec = tf.TensorSpec(IMAGES, tf.float32, name="image")

    @tf.function(input_signature=[spec])
    def serve(image):
        return {"answer": compute(module, image)}

    module.serve = serve
    tf.saved_model.save(module, str(folder), signatures=signatures or {"serving_default": serve})
    return folder


def dense(tf, module, image):
    return tf.nn.softmax(tf.reshape(image, (-1, SIDE * SIDE * 3)) @ module.weights)


def test_a_saved_model_is_exported_and_verified_as_the_model_that_it_was_saved_from(tmp_path):
    bright = dataset_of()
    path = network(tmp_path / "bright.keras")
    with extras.streams_to(tmp_path / "log"):
        extras.load("keras").saving.load_model(path).export(tmp_path / "saved", verbose=False)
    found = exported(tmp_path / "saved", bright, pairs=[("tflite", "float32"), ("tflite", "int8"), ("onnx", "float32")])
    assert (found.model, found.source.file) == ("saved", "saved")
    assert judged(found, bright) == [("pass", 1.0, 1.0)] * 3
    images = bright.test.images[:20]
    frozen, original = (open_session(one, threads=0) for one in (found.reference_path, path))
    np.testing.assert_allclose(frozen.predict(images), original.predict(images), atol=1e-6)


def test_recurrent_layers_are_exported_with_their_loops_written_out(here_alone, tmp_path, tiny):
    keras = extras.load("keras")
    keras.utils.set_random_seed(0)
    layers = keras.layers
    masked = layers.Dense(3, activation="relu"), layers.Masking()  # some rows are 0
    recurrent = layers.Bidirectional(layers.LSTM(3)), layers.Dense(3, activation="softmax")
    first = layers.Cropping1D((4, 0))  # each step is a part of the graph
    model = keras.Sequential([keras.Input((SIDE, SIDE)), first, *masked, *recurrent])
    with extras.streams_to(tmp_path / "log"):
        model.export(tmp_path / "saved", verbose=False)
    pairs = ("tflite", "float32"), ("tflite", "int8"), ("onnx", "float32")
    options = ExportOptions(pairs, 40)
    found = export(sources.resolve(str(tmp_path / "saved")), tiny, tmp_path / "out", options, warn=str)
    assert found.failures == {}
    record = golden.read(found.manifest.golden_path)
    away = {name: float(np.abs(one - record.reference).max()) for name, one in record.recorded.items()}
    assert {name: value < (1e-5 if "float32" in name else 0.05) for name, value in away.items()} == dict.fromkeys(
        ("saved-float32.tflite", "saved-int8.tflite", "saved-float32.onnx"), True
    )
    expected = model(tiny.test.images[..., 0] / np.float32(255))[: len(record.images)]
    np.testing.assert_allclose(record.reference, expected, atol=1e-5)


def test_a_saved_model_is_frozen_once(here_alone, tf, tmp_path, monkeypatch):
    folder = saved(tf, tmp_path / "saved", lambda module, image: dense(tf, module, image))
    first = saved_model.to_keras(folder)
    monkeypatch.setattr(saved_model, "Process", None)
    assert saved_model.to_keras(folder) == first
    first.write_bytes(first.read_bytes()[:-1])
    with pytest.raises(TypeError):  # a process is asked again
        saved_model.to_keras(folder)


def test_a_frozen_copy_that_answers_otherwise_is_refused(here_alone, tf, tmp_path):
    folder = saved(tf, tmp_path / "saved", lambda module, image: dense(tf, module, image))
    values = np.random.default_rng(0).random((120, *IMAGES[1:])).astype(np.float32)
    loaded = tf.saved_model.load(str(folder))
    expected = np.asarray(loaded.serve(tf.constant(values))["answer"])
    saved_model.prove(folder, expected, values, tolerance=1e-5)
    with pytest.raises(
        ArtifactError, match=r"saved: what was frozen of it answers differently \(an output differs by 0\.1"
    ):
        saved_model.prove(folder, expected + np.float32(0.1), values, tolerance=1e-5)


def reads(tf, module, image):
    return dense(tf, module, image) + tf.cast(tf.strings.length(tf.io.read_file("/etc/hostname")), tf.float32)


def writes_in_a_branch(tf, module, image):
    def branch():
        with tf.control_dependencies([tf.io.write_file("/tmp/foreign-was-here", "x")]):
            return tf.identity(image)

    return dense(tf, module, tf.cond(tf.reduce_sum(image) > 0, branch, lambda: image))


def calls_python(tf, module, image):
    return tf.ensure_shape(tf.py_function(lambda x: x, [dense(tf, module, image)], tf.float32), (None, 3))


def draws(tf, module, image):
    return dense(tf, module, image) + tf.random.uniform((1, 3))


@pytest.mark.parametrize(
    ("compute", "operator"),
    [(reads, "ReadFile"), (writes_in_a_branch, "WriteFile"), (calls_python, "EagerPyFunc"), (draws, "RandomUniform")],
)
def test_what_does_more_than_compute_is_named_and_not_loaded(tf, tmp_path, monkeypatch, compute, operator):
    folder = saved(tf, tmp_path / "saved", lambda module, image: compute(tf, module, image))
    monkeypatch.setattr(saved_model, "Process", None)
    with pytest.raises(ArtifactError, match=rf"saved: computes with .*{operator}.* save it as \.keras"):
        saved_model.to_keras(folder)


def test_what_is_no_classifier_is_one_line(here_alone, tf, tmp_path):
    broken = tmp_path / "broken"
    broken.mkdir()
    (broken / "saved_model.pb").write_bytes(b"nonsense")
    with pytest.raises(ArtifactError, match="no SavedModel of TensorFlow"):
        saved_model.to_keras(broken)
    flat = saved(tf, tmp_path / "flat", lambda module, image: tf.reduce_sum(image, axis=(1, 2, 3)))
    with pytest.raises(ArtifactError, match=r"flat: maps \(None, 8, 8, 3\) to \(None,\); a classifier maps"):
        saved_model.to_keras(flat)


def test_a_table_beside_the_weights_is_refused(tf, tmp_path):
    def compute(module, image):
        keys = tf.constant([0, 1], tf.int64)
        module.table = tf.lookup.StaticHashTable(tf.lookup.KeyValueTensorInitializer(keys, keys), 0)
        return dense(tf, module, image)

    with pytest.raises(ArtifactError, match="has tables or files beside its weights"):
        saved_model.to_keras(saved(tf, tmp_path / "saved", compute))


def test_a_keras_file_whose_graph_does_more_than_compute_is_refused(here_alone, tf, tmp_path):
    """As if somebody had changed the graph within."""
    folder = saved(tf, tmp_path / "saved", lambda module, image: dense(tf, module, image))
    path = saved_model.to_keras(folder)
    graph = tf.compat.v1.GraphDef()
    graph.node.add(name="image", op="Placeholder")
    graph.node.add(name="read", op="ReadFile", input=["image"])
    forged = tmp_path / "forged.keras"
    with zipfile.ZipFile(path) as source, zipfile.ZipFile(forged, "w") as target:
        for name in source.namelist():
            content = source.read(name)
            if name == "config.json":
                config = json.loads(content)
                (layer,) = (one for one in config["config"]["layers"] if one["class_name"] == "FrozenGraph")
                layer["config"]["graph"] = base64.b64encode(graph.SerializeToString()).decode()
                content = json.dumps(config).encode()
            target.writestr(name, content)
    with pytest.raises(ArtifactError, match="computes with ReadFile"):
        open_session(forged, threads=0)
