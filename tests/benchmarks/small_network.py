"""A convolutional network of about 8,000 parameters with batch normalization, for ``toolkit train --model``."""

from typing import Any


def build(keras: Any, *, input_shape: tuple[int, ...], classes: int, activation: str) -> Any:
    layers = keras.layers
    steps = [
        (layers.Conv2D(width, 3, strides=stride, padding="same", use_bias=False), layers.BatchNormalization())
        for width, stride in ((8, 1), (16, 2), (16, 1), (28, 2))
    ]
    return keras.Sequential(
        [
            keras.Input(input_shape),
            *(layer for pair in steps for layer in (*pair, layers.Activation(activation))),
            layers.GlobalAveragePooling2D(),
            layers.Dense(classes, activation="softmax"),
        ]
    )
