"""Two convolutions with pooling, then two dense layers: 421,642 parameters on 28×28×1 and 10 classes."""

from typing import Any


def build(keras: Any, *, input_shape: tuple[int, int, int], classes: int, activation: str) -> Any:
    """Return the network for images (N, *input_shape) in [0, 1]; its outputs are probabilities (N, classes)."""
    layers = keras.layers
    return keras.Sequential(
        [
            keras.Input(input_shape, name="image"),
            layers.Conv2D(32, 3, padding="same", activation=activation, name="conv_1"),
            layers.MaxPooling2D(2, name="pool_1"),
            layers.Conv2D(64, 3, padding="same", activation=activation, name="conv_2"),
            layers.MaxPooling2D(2, name="pool_2"),
            layers.Flatten(name="flatten"),
            layers.Dense(128, activation=activation, name="dense_1"),
            layers.Dense(classes, activation="softmax", name="probabilities"),
        ],
        name="cnn",
    )
