"""Which channels can go, and from which layers at once."""

import numpy as np
import pytest

from tests.compress.networks import joined, knowing
from toolkit import extras, models
from toolkit.compress.channels import trace

pytestmark = pytest.mark.slow


def traced(model):
    return trace(extras.load("keras"), model)


def sizes(channels):
    return sorted(channels.groups.values())


def of_layers(*layers, shape=(8, 8, 4)):
    keras = extras.load("keras")
    kinds = keras.layers
    answer = [kinds.GlobalAveragePooling2D(), kinds.Dense(3)] if len(shape) == 3 else [kinds.Dense(3)]
    return keras.Sequential([keras.Input(shape), *layers, *answer])


def test_the_channels_of_the_cnn_are_those_of_its_hidden_layers():
    found = traced(models.build("cnn", input_shape=(8, 8, 1), classes=3))
    assert sizes(found) == [32, 64, 128]
    flat = found.gives["flatten"]
    assert len(flat) == 2 * 2 * 64
    np.testing.assert_array_equal(flat[64:128], found.gives["conv_2"])  # of the next pixel
    np.testing.assert_array_equal(flat, found.takes["dense_1"])


@pytest.mark.parametrize(("model", "expected"), [("mlp", [128]), ("tiny:width=4,depth=2", [4, 8])])
def test_the_other_models_have_channels_too(model, expected):
    assert sizes(traced(models.build(model, input_shape=(8, 8, 1), classes=3))) == expected


def test_a_separable_block_has_the_channels_of_what_comes_before_it():
    found = traced(models.build("tiny:width=4,depth=2,conv=separable", input_shape=(8, 8, 1), classes=3))
    assert sizes(found) == [4, 8]
    np.testing.assert_array_equal(found.gives["depthwise_2"], found.gives["conv_1"])


def test_what_is_added_is_one_group_and_what_is_concatenated_stays_two():
    found = traced(joined())
    assert sizes(found) == [4, 5, 6]
    np.testing.assert_array_equal(found.gives["a"], found.gives["b"])
    np.testing.assert_array_equal(found.gives["deep"][:, 1], np.repeat(np.arange(6), 2))
    pixel = np.concatenate([found.gives["deep"], found.gives["c"]])
    np.testing.assert_array_equal(found.takes["hidden"], np.tile(pixel, (2 * 2, 1)))


def test_what_a_network_has_no_channels_of_its_own_for_stays():
    keras = extras.load("keras")
    layers = keras.layers
    assert traced(knowing()).groups == {}
    assert traced(of_layers(layers.LSTM(6), shape=(5, 2))).groups == {}
    assert traced(of_layers(layers.Conv2D(4, 1, groups=2))).groups == {}
    assert traced(of_layers(layers.Conv2D(4, 1), layers.LayerNormalization())).groups == {}
    assert traced(of_layers(layers.Conv2D(4, 1), layers.BatchNormalization(axis=1))).groups == {}


def test_a_sum_with_the_input_and_a_layer_that_is_called_twice_keep_their_channels():
    keras = extras.load("keras")
    layers = keras.layers
    image = keras.Input((8, 8, 4))
    twice = layers.Conv2D(4, 1)
    own = layers.Conv2D(4, 1)(image)
    for last in (layers.Add()([image, own]), twice(twice(own)), layers.Concatenate(axis=1)([own, own])):
        assert traced(keras.Model(image, layers.Dense(3)(layers.GlobalMaxPooling2D()(last)))).groups == {}


def test_a_sum_of_what_is_no_whole_group_keeps_its_channels():
    keras = extras.load("keras")
    layers = keras.layers
    image = keras.Input((8, 8, 1))
    halves = layers.Concatenate()([layers.Conv2D(2, 1)(image), layers.Conv2D(2, 1)(image)])
    added = layers.Add()([halves, layers.Conv2D(4, 1)(image)])
    assert traced(keras.Model(image, layers.Dense(3)(layers.GlobalMaxPooling2D()(added)))).groups == {}
