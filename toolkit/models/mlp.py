"""Two dense layers, the CNN without its convolutions and pooling: 101,770 parameters on 28×28×1 and 10 classes."""

from typing import Any


def build(keras: Any, *, input_shape: tuple[int, ...], classes: int, activation: str) -> Any:
    """Return the network for rows (N, *input_shape); its outputs are probabilities (N, classes)."""
    layers = keras.layers
    return keras.Sequential(
        [
            keras.Input(input_shape, name="image"),
            layers.Flatten(name="flatten"),
            layers.Dense(128, activation=activation, name="dense_1"),
            layers.Dense(classes, activation="softmax", name="probabilities"),
        ],
        name="mlp",
    )
