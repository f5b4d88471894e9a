"""Small networks with every way that channels go."""

import numpy as np

from toolkit import extras


def joined():
    """Convolutions, a depthwise one with two filters a channel, normalizations, a sum and a concatenation."""
    keras = extras.load("keras")
    layers = keras.layers
    image = keras.Input((8, 8, 1))
    first = layers.Activation("relu")(layers.BatchNormalization(name="norm_1")(layers.Conv2D(6, 3, name="a")(image)))
    side = layers.Conv2D(6, 1, activation="relu", name="b")(first)
    added = layers.Add()([first, side])
    deep = layers.ReLU()(layers.DepthwiseConv2D(3, depth_multiplier=2, name="deep")(added))
    other = layers.Conv2D(4, 3, activation="relu", name="c")(added)
    beside = layers.Concatenate()([deep, other])
    flat = layers.Flatten()(layers.MaxPooling2D(2)(beside))
    hidden = layers.Dense(5, activation="relu", name="hidden")(flat)
    return keras.Model(image, layers.Dense(3, activation="softmax", name="answer")(hidden), name="joined")


def knowing():
    """One that tells the classes of the tiny data apart without training, and has nothing to prune."""
    keras = extras.load("keras")
    layers = keras.layers
    made = keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            layers.AveragePooling2D(4),
            layers.Flatten(),
            layers.Dense(3, activation="softmax", name="answer"),
        ]
    )
    made.set_weights([20 * np.eye(4, 3, dtype=np.float32), np.zeros(3, np.float32)])
    return made
