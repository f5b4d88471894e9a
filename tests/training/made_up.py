"""One recipe on the tiny data, and what is compared of the runs that are trained by it."""

from dataclasses import replace

import numpy as np

from toolkit.runtimes.keras.loading import load_model
from toolkit.training.recipe import Recipe

# 240 rows, 192 to train: twelve batches.
RECIPE = Recipe(model="mlp", epochs=4, batch_size=16, learning_rate=0.003, seed=3)
# Twelve batches and a smaller last one of 12.
UNEVEN = replace(RECIPE, batch_size=15)
# Eight epochs in float, then two with rounding, of which the first moves the bounds.
ROUNDING = Recipe(model="tiny:width=4,depth=2", epochs=10, batch_size=16, learning_rate=0.01, qat=True)


def weights(folder):
    return load_model(folder / "best.keras").get_weights()


def state(folder):
    with np.load(folder / "state.npz") as arrays:
        return {key: arrays[key] for key in arrays.files if key != "progress"}


def assert_same(left, right):
    assert left.keys() == right.keys()
    for key in left:
        np.testing.assert_array_equal(left[key], right[key])


# The file of a small network with batch normalization, which begins with one, so that its statistics are the data's.
NORMALIZED = """
def build(keras, *, input_shape, classes, activation):
    layers = keras.layers
    return keras.Sequential([
        keras.Input(input_shape),
        layers.BatchNormalization(name="first"),
        layers.Conv2D(4, 3, use_bias=False),
        layers.BatchNormalization(),
        layers.Activation(activation),
        layers.GlobalAveragePooling2D(),
        layers.Dense(classes, activation="softmax"),
    ])
"""
