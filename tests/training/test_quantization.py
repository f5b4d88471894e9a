"""Networks that learn with the rounding of integer kernels: what is rounded, how, and which networks are refused."""

from dataclasses import replace

import numpy as np
import pytest

from tests.conftest import tiny_arrays
from tests.training.made_up import RECIPE, ROUNDING, assert_same, state
from toolkit import extras
from toolkit.data.base import make_dataset
from toolkit.data.base.parts import divide
from toolkit.errors import RunError, UsageError
from toolkit.files import documents
from toolkit.runtimes.keras import fake_quantization
from toolkit.runtimes.keras.fake_quantization import bounds_of, rounded, unrounded
from toolkit.runtimes.keras.loading import load_model
from toolkit.training import phases, quantization
from toolkit.training.checkpoint import TrainingProgress
from toolkit.training.fit import train
from toolkit.training.phases import Phase
from toolkit.training.recipe import Recipe


@pytest.fixture(scope="module")
def keras():
    return extras.load("keras")


@pytest.fixture(scope="module")
def tf():
    return extras.load("tensorflow")


@pytest.fixture
def parts(tiny):
    return divide(tiny, share=0.2, seed=0)


def network(keras, *layers, shape=(8, 8, 1)):
    return keras.Sequential([keras.Input(shape, name="image"), *layers], name="net")


def kinds(model):
    return [type(layer).__name__ for layer in model.layers]


@pytest.mark.slow
def test_weights_lie_on_64_steps_of_their_channel(tf):
    kernel = np.random.default_rng(0).normal(size=(3, 3, 2, 4)).astype(np.float32)
    steps = rounded(tf, kernel, channel_axes=1).numpy() / (np.abs(kernel).max(axis=(0, 1, 2)) / 64)
    np.testing.assert_allclose(steps, np.round(steps), atol=1e-4)
    np.testing.assert_allclose(np.abs(steps).max(axis=(0, 1, 2)), 64, atol=1e-4)
    assert np.abs(steps - kernel / (np.abs(kernel).max(axis=(0, 1, 2)) / 64)).max() <= 0.5 + 1e-4


@pytest.mark.slow
def test_a_channel_that_has_faded_is_0(tf):
    kernel = np.array([[1.0, 2e-4], [-0.5, 1e-4]], np.float32)
    np.testing.assert_array_equal(rounded(tf, kernel, channel_axes=1), [[1.0, 0.0], [-0.5, 0.0]])


@pytest.mark.slow
def test_the_gradient_of_rounded_weights_is_that_of_the_weights(tf):
    kernel = tf.Variable(np.random.default_rng(0).normal(size=(5, 3)).astype(np.float32))
    with tf.GradientTape() as tape:
        total = tf.reduce_sum(rounded(tf, kernel, channel_axes=1) * 3.0)
    np.testing.assert_array_equal(tape.gradient(total, kernel), np.full((5, 3), 3.0))


@pytest.mark.slow
def test_bounds_follow_the_batches_of_training_and_then_stay(keras):
    layer = fake_quantization.layers().FakeQuantize(low=0.0, high=1.0)
    values = np.array([[-1.0, 3.0]], np.float32)
    np.testing.assert_allclose(layer(values), [[0.0, 1.0]])
    layer(values, training=True)
    np.testing.assert_allclose([layer.low.numpy(), layer.high.numpy()], [-0.01, 1.02], rtol=1e-6)
    model = keras.Sequential([keras.Input((2,)), layer])
    quantization.move_bounds(model, moving=False)
    layer(values, training=True)
    np.testing.assert_allclose([layer.low.numpy(), layer.high.numpy()], [-0.01, 1.02], rtol=1e-6)
    with unrounded():
        np.testing.assert_array_equal(layer(values), values)


@pytest.mark.slow
def test_normalizations_are_folded_exactly(keras, parts, monkeypatch, tiny):
    layers = keras.layers
    model = network(
        keras,
        layers.Conv2D(4, 3, use_bias=False),
        layers.BatchNormalization(),
        layers.ReLU(),
        layers.DepthwiseConv2D(3, depth_multiplier=2),
        layers.BatchNormalization(scale=False),
        layers.SeparableConv2D(5, 2, use_bias=False),
        layers.BatchNormalization(center=False),
        network(keras, layers.GlobalAveragePooling2D(), layers.Dense(4), layers.BatchNormalization(), shape=(3, 3, 5)),
        layers.Dense(3, activation="softmax"),
    )
    rng = np.random.default_rng(0)
    for layer in model._flatten_layers():
        if isinstance(layer, layers.BatchNormalization):
            layer.set_weights([rng.uniform(0.5, 2, weight.shape) for weight in layer.get_weights()])
    made = quantization.fake_quantized(keras, model, parts)
    assert "BatchNormalization" not in kinds(made)
    monkeypatch.setattr(fake_quantization, "rounded", lambda tf, kernel, channel_axes: kernel)
    images = tiny.test.images / np.float32(255)
    with unrounded():
        np.testing.assert_allclose(made(images), model(images), atol=1e-5)


@pytest.mark.slow
def test_an_adapted_normalization_keeps_what_it_learned(keras, parts, tiny):
    adapted = keras.layers.Normalization(axis=None)
    adapted.adapt(np.random.default_rng(0).normal(5, 3, (100, 8, 8, 1)))
    model = network(keras, adapted, keras.layers.Flatten(), keras.layers.Dense(3, activation="softmax"))
    made = quantization.fake_quantized(keras, model, parts)
    (copied,) = (layer for layer in made.layers if isinstance(layer, keras.layers.Normalization))
    images = tiny.test.images / np.float32(255)
    np.testing.assert_allclose(copied(images), adapted(images), atol=1e-6)


@pytest.mark.slow
def test_the_first_bounds_are_of_rows_from_everywhere(keras):
    """Here the bright rows come late, as the rows of a class may."""
    images, labels = np.zeros((1000, 8, 8, 1), np.uint8), np.arange(1000) % 3
    images[600:700] = 255
    dataset = make_dataset((images, labels, *tiny_arrays()[2:]), name="sorted", origin="tests")
    parts = divide(dataset, share=0.2, seed=0)
    layers = keras.layers
    dense = layers.Dense(3, activation="softmax", kernel_initializer="ones")
    flat = layers.Conv2D(1, 1, kernel_initializer="ones", name="conv")
    made = quantization.fake_quantized(keras, network(keras, flat, layers.Flatten(), dense), parts)
    (bounds,) = (layer for layer in bounds_of(made) if layer.name == "conv_bounds")
    assert float(bounds.high) == pytest.approx(1, abs=0.02)


@pytest.mark.slow
def test_activations_are_rounded_where_kernels_round_them(keras, parts):
    layers = keras.layers
    given = keras.Input((8, 8, 1), name="image")
    one = layers.Conv2D(2, 3, padding="same", name="one")(given)
    two = layers.Conv2D(2, 3, padding="same", activation="sigmoid", name="two")(one)
    added = layers.ReLU(name="relu")(layers.Add(name="add")([one, two]))
    pooled = layers.AveragePooling2D(2, name="pool")(layers.Dropout(0.2)(added))
    answer = layers.Dense(3, activation="softmax", name="answer")(layers.Flatten()(pooled))
    model = quantization.fake_quantized(keras, keras.Model(given, answer), parts)
    assert [layer.name for layer in bounds_of(model)] == [
        "image_bounds",
        "one_bounds",
        "two_bounds",
        "two_sigmoid_bounds",
        "relu_bounds",  # of the sum too, and of the average, which has the steps of what it is of
        "answer_bounds",
    ]
    assert kinds(model)[-1] == "Activation"
    fixed = {
        layer.name: (float(layer.low), float(layer.high))
        for layer in bounds_of(model)
        if not layer.get_config()["moving"]
    }
    assert fixed == {"image_bounds": (0.0, 1.0), "two_sigmoid_bounds": (0.0, 255 / 256)}
    assert quantization.fake_quantized(keras, model, parts) is model


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kind", "options", "message"),
    [
        ("BatchNormalization", {}, r"'odd' \(BatchNormalization\) is not behind a layer that it can be folded into"),
        ("UnitNormalization", {}, r"'odd' \(UnitNormalization\) is not rounded; it takes networks of Add, Average"),
        ("Conv2D", {"filters": 2, "kernel_size": 3, "activation": "gelu"}, "'odd' has an activation that is not"),
        ("Conv2D", {"filters": 2, "kernel_size": 1, "data_format": "channels_first"}, "'odd' has its channels first"),
    ],
)
def test_layers_that_integer_kernels_do_not_know_are_refused(keras, kind, options, message):
    odd = getattr(keras.layers, kind)(name="odd", **options)
    with pytest.raises(UsageError, match=message):
        quantization.check(keras, network(keras, keras.layers.MaxPooling2D(), odd))


@pytest.mark.slow
def test_a_normalization_of_another_axis_and_causal_padding_are_refused(keras):
    layers = keras.layers
    turned = network(keras, layers.Conv2D(6, 3), layers.BatchNormalization(axis=1, name="odd"))
    with pytest.raises(UsageError, match=r"'odd' \(BatchNormalization\) is not behind a layer"):
        quantization.check(keras, turned)
    with pytest.raises(UsageError, match="'odd' pads causally; put a ZeroPadding1D before it"):
        quantization.check(keras, network(keras, layers.Conv1D(2, 3, padding="causal", name="odd"), shape=(8, 1)))


@pytest.mark.slow
def test_weights_that_are_used_twice_are_refused(keras):
    twice = keras.layers.Conv2D(1, 1, name="twice")
    with pytest.raises(UsageError, match="cannot round the layer 'twice', which is called several times"):
        quantization.check(keras, network(keras, twice, twice))


@pytest.mark.slow
def test_layers_of_one_name_in_networks_within_are_refused_in_our_words(keras):
    layers = keras.layers
    within = network(keras, layers.Conv2D(2, 3, name="conv"), layers.ReLU(name="relu"))
    with pytest.raises(UsageError, match="in which two layers are called 'conv'; give each a name of its own"):
        quantization.check(keras, network(keras, layers.Conv2D(1, 1, name="conv"), within))
    relu = layers.ReLU(name="relu")
    with pytest.raises(UsageError, match="cannot round the layer 'relu', which is called several times"):
        quantization.check(keras, network(keras, relu, layers.Conv2D(1, 1), relu))


def test_a_training_with_qat_has_a_part_in_float_and_a_part_that_rounds():
    recipe = replace(RECIPE, epochs=10, qat=True)
    progress = TrainingProgress()
    assert phases.present(replace(recipe, qat=False), progress) == Phase(0, 10, "best.keras", rounds=False)
    assert phases.present(recipe, progress) == Phase(0, 8, "float.keras", rounds=False)
    progress.float_epochs = 5  # its patience was over
    rounding = phases.present(recipe, progress)
    assert rounding == Phase(5, 7, "best.keras", rounds=True)
    assert [rounding.moves_bounds(epoch) for epoch in (6, 7)] == [True, False]
    assert phases.present(replace(recipe, model="a.keras"), TrainingProgress()) == Phase(
        0, 10, "best.keras", rounds=True
    )


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"epochs": 1}, "--qat first trains in float: --epochs must be at least 2, or --model a trained"),
        ({"precision": "mixed"}, "--qat computes in float32, --precision mixed cannot change that; leave it out"),
    ],
)
def test_a_recipe_that_cannot_round_is_refused(changes, message):
    with pytest.raises(UsageError, match=message):
        Recipe(qat=True, **changes)


@pytest.mark.slow
def test_a_resumed_run_rounds_as_an_uninterrupted_one(tmp_path, tiny, rounding_folder):
    def interrupt(epoch):
        if epoch.epoch == 9:
            raise KeyboardInterrupt

    stopped = train(ROUNDING, tiny, tmp_path / "run", on_epoch=interrupt)
    assert (stopped.interrupted, stopped.checkpoint.name) == (True, "best.keras")
    resumed = train(ROUNDING, tiny, tmp_path / "run", resume=True)
    assert (resumed.progress.float_epochs, len(resumed.progress.history)) == (8, 10)
    assert_same(state(rounding_folder), state(tmp_path / "run"))
    with pytest.raises(RunError, match="quantization-aware training ends with epoch 10; go on without --epochs"):
        train(replace(ROUNDING, epochs=12), tiny, tmp_path / "run", resume=True)


@pytest.mark.slow
def test_a_run_keeps_the_network_in_float_too(rounding_folder, tiny):
    in_float, rounding = (load_model(rounding_folder / name) for name in ("float.keras", "best.keras"))
    assert "BatchNormalization" in kinds(in_float)
    assert bounds_of(in_float) == []
    assert [layer.name for layer in bounds_of(rounding)][:2] == ["image_bounds", "act_1_bounds"]
    assert {float(layer.moved.numpy()) for layer in bounds_of(rounding)} <= {0.0, np.float32(0.01)}
    metrics = documents.load(rounding_folder / "metrics.json", what="metrics")
    assert metrics["test_accuracy"] > 0.9
    assert metrics["best_epoch"] > 8
    assert documents.load(rounding_folder / "config.json", what="a configuration")["recipe"]["qat"] is True
    with pytest.raises(UsageError, match="rounds as integer kernels do; give --qat to train it further"):
        train(Recipe(model=str(rounding_folder / "best.keras")), tiny, rounding_folder / "more")
