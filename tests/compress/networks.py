"""Small networks with every way that channels go, and one that int8 costs its accuracy."""

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


def uneven():
    """A network that tells the classes of the tiny data apart without training, and not in int8.

    The fifth value of "wide", which nothing depends on, is 1,000 times as large as the others, and takes all the steps
    of the range that they share. Both "wide" and what takes its values must be in float.
    """
    keras = extras.load("keras")
    layers = keras.layers
    made = keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            layers.Conv2D(4, 1, name="eyes"),
            layers.AveragePooling2D(4, name="corners"),
            layers.Flatten(),
            layers.Dense(5, activation="relu", name="wide"),
            layers.Dense(3, activation="softmax", name="answer"),
        ],
        name="uneven",
    )
    eyes = np.full((1, 1, 1, 4), 0.25, np.float32)
    wide = np.concatenate([np.repeat(np.eye(4), 4, axis=0), np.full((16, 1), 300)], axis=1)
    answer = 20 * np.eye(5, 3)
    made.set_weights([eyes, np.zeros(4), wide, np.zeros(5), answer, np.zeros(3)])
    return made
