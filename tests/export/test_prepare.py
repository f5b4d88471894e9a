"""What is converted is the model: its state, its shared and nested layers, in float32, on images of one size."""

import numpy as np
import pytest

from toolkit import extras
from toolkit.errors import ArtifactError
from toolkit.export.prepare import fixed, prepare, prove
from toolkit.runtimes.keras import open_session

pytestmark = pytest.mark.slow

SHAPE = (8, 8, 1)
ROWS = np.random.default_rng(0).random((60, *SHAPE), np.float32)


@pytest.fixture
def keras():
    keras = extras.load("keras")
    keras.utils.set_random_seed(0)
    return keras


@pytest.fixture
def ready(tmp_path):
    """Prepare a model, and open the file that its reference is."""

    def make(model):
        model.save(tmp_path / "m.keras")
        return prepare(model, tmp_path), open_session(tmp_path / "m.keras", threads=0)

    return make


@pytest.fixture
def proven(ready):
    """Prepare a model, and prove it."""

    def check(model):
        prepared, reference = ready(model)
        prove(prepared, reference, ROWS)

    return check


def normalization(keras, image):
    adapted = keras.layers.Normalization(axis=None)
    adapted.adapt(7 * ROWS - 3)
    return adapted(image)


def batch_normalization(keras, image):
    normalized = keras.layers.BatchNormalization()
    outputs = normalized(image)
    normalized.set_weights([np.full(1, value, np.float32) for value in (2, 3, 4, 5)])
    return outputs


def shared(keras, image):
    layer = keras.layers.Conv2D(2, 3)
    return keras.layers.Concatenate()([layer(image), layer(image * 2.0 + 1.0)])


def nested(keras, image):
    inner = keras.Sequential([keras.Input(SHAPE), keras.layers.Conv2D(2, 3), keras.layers.Flatten()])
    return keras.layers.Reshape((6, 6, 2))(inner(image))


def at_rest(keras, image):
    for layer in (keras.layers.Dropout(0.5), keras.layers.GaussianNoise(0.9), keras.layers.RandomFlip()):
        image = layer(image)
    return image


@pytest.mark.parametrize("make", [normalization, batch_normalization, shared, nested, at_rest])
def test_what_is_converted_answers_as_the_model_does(keras, ready, make):
    tf = extras.load("tensorflow")
    before = tf.reshape, tf.function, tf.image.resize
    image = keras.Input(SHAPE)
    model = keras.Model(image, keras.layers.Dense(3)(keras.layers.Flatten()(make(keras, image))))
    calls = [len(layer._inbound_nodes) for layer in model._flatten_layers()]
    prepared, reference = ready(model)
    prove(prepared, reference, ROWS)
    outputs = prepared.function(ROWS)["probabilities"]
    np.testing.assert_allclose(outputs, model(ROWS, training=False), atol=1e-5)
    assert [len(layer._inbound_nodes) for layer in model._flatten_layers()] == calls
    assert before == (tf.reshape, tf.function, tf.image.resize)


def test_flattening_asks_no_batch_for_its_size(keras, ready):
    layers = keras.layers
    steps = [layers.Reshape((4, 16)), layers.Flatten(), layers.Dense(8), layers.Reshape((2, 2, 2)), layers.Flatten()]
    prepared, _ = ready(keras.Sequential([keras.Input(SHAPE), *steps, layers.Dense(3)]))
    graph = prepared.function.get_concrete_function().graph
    reshapes = [operator.inputs[1].op.type for operator in graph.get_operations() if operator.type == "Reshape"]
    assert reshapes == ["Const"] * 4


def test_a_channels_first_flatten_keeps_its_order(keras, proven):
    flatten = keras.layers.Flatten(data_format="channels_first")
    model = keras.Sequential([keras.Input(SHAPE), keras.layers.Reshape((4, 4, 4)), flatten, keras.layers.Dense(3)])
    proven(model)


def test_a_layer_that_draws_random_numbers_is_told(keras, proven):
    @keras.saving.register_keras_serializable("tests")
    class Noise(keras.layers.Layer):  # type: ignore[misc,name-defined]
        def call(self, inputs):
            return inputs + keras.random.normal(inputs.shape[1:])

    model = keras.Sequential([keras.Input(SHAPE), Noise(), keras.layers.Flatten(), keras.layers.Dense(3)])
    with pytest.raises(ArtifactError, match=r"m\.keras: .* does not answer as Keras does .* differently each time"):
        proven(model)


def test_a_model_that_runs_in_no_graph_is_told(keras, ready, capfd):
    @keras.saving.register_keras_serializable("tests")
    class Eager(keras.layers.Layer):  # type: ignore[misc,name-defined]
        def compute_output_shape(self, input_shape):
            return input_shape

        def call(self, inputs):
            return inputs * float(inputs[0, 0])

    steps = [keras.layers.Flatten(), Eager(), keras.layers.Dense(3)]
    with pytest.raises(ArtifactError, match=r"cannot be run as a TensorFlow graph; export\.log says why$"):
        ready(keras.Sequential([keras.Input(SHAPE), *steps]))
    assert "Traceback" in capfd.readouterr().err


def test_a_state_that_is_not_saved_is_told(keras, proven):
    @keras.saving.register_keras_serializable("tests")
    class Offset(keras.layers.Layer):  # type: ignore[misc,name-defined]
        by = 0.0

        def call(self, inputs):
            return inputs + self.by

    offset = Offset()
    offset.by = 0.25
    model = keras.Sequential([keras.Input(SHAPE), keras.layers.Flatten(), keras.layers.Dense(3), offset])
    with pytest.raises(ArtifactError, match=r"differs by 0\.25, allowed: .*: a layer has a state that is not saved"):
        proven(model)


@pytest.mark.parametrize("policy", ["mixed_bfloat16", "mixed_float16"])
def test_a_model_of_mixed_precision_is_exported_in_float32(keras, ready, tmp_path, policy):
    keras.config.set_dtype_policy(policy)
    try:
        steps = [keras.layers.Conv2D(4, 3), keras.layers.BatchNormalization(), keras.layers.Flatten()]
        model = keras.Sequential([keras.Input(SHAPE), *steps, keras.layers.Dense(3, dtype="float32")])
    finally:
        keras.config.set_dtype_policy("float32")
    rough = model(ROWS).numpy()
    said = []
    model = fixed(model, tmp_path / "m.keras", input_shape=SHAPE, warn=said.append)
    assert said == [
        f"{tmp_path}/m.keras: computes in {policy[6:]} in part; it is exported in float32, with the same weights"
    ]
    prepared, reference = ready(model)
    prove(prepared, reference, ROWS)
    assert 0 < np.abs(prepared.function(ROWS)["probabilities"] - rough).max() < 0.05
    assert fixed(model, tmp_path / "m.keras", input_shape=SHAPE, warn=pytest.fail) is model


def test_a_model_of_any_size_is_exported_for_one(keras, proven, tmp_path):
    steps = [keras.layers.Conv2D(4, 3), keras.layers.GlobalMaxPooling2D(), keras.layers.Dense(3)]
    model = keras.Sequential([keras.Input((None, None, 1)), *steps])
    of_one_size = fixed(model, tmp_path / "m.keras", input_shape=SHAPE, warn=pytest.fail)
    assert (of_one_size.input_shape, of_one_size.output_shape) == ((None, *SHAPE), (None, 3))
    proven(of_one_size)
    with pytest.raises(ArtifactError, match=r"takes \(None, None, 1\), which cannot be \(8, 8, 3\); give the size by"):
        fixed(model, tmp_path / "m.keras", input_shape=(8, 8, 3), warn=pytest.fail)


def test_images_without_channels_are_images(keras, ready):
    model = keras.Sequential([keras.Input((8, 8)), keras.layers.Flatten(), keras.layers.Dense(3)])
    prepared, reference = ready(model)
    prove(prepared, reference, ROWS[..., 0])
    pixels = (ROWS * 255).astype(np.uint8)
    np.testing.assert_allclose(reference.predict(pixels), model(pixels[..., 0] / np.float32(255)), atol=1e-5)


def test_a_layer_that_keeps_its_state_is_named(keras, tmp_path):
    layers = [
        keras.Input(batch_shape=(1, 5, 4)),
        keras.layers.GRU(3, stateful=True, name="kept"),
        keras.layers.Dense(3),
    ]
    with pytest.raises(
        ArtifactError, match=r"own\.keras: the layer 'kept' keeps its state .*; save the model with state"
    ):
        fixed(keras.Sequential(layers), tmp_path / "own.keras", input_shape=(5, 4), warn=pytest.fail)
