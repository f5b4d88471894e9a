"""Two convolutions with pooling, then two dense layers: 421,642 parameters on 28×28×1 and 10 classes."""

from typing import Any

from toolkit.errors import UsageError


def build(keras: Any, *, input_shape: tuple[int, ...], classes: int, activation: str) -> Any:
    """Return the network for rows (N, *input_shape); its outputs are probabilities (N, classes).

    Pictures (H, W, C) are convolved in two dimensions, windows (steps, channels) along their steps. Raises UsageError
    for rows of single values, which have no order to convolve along.
    """
    layers = keras.layers
    kinds = {2: (layers.Conv1D, layers.MaxPooling1D), 3: (layers.Conv2D, layers.MaxPooling2D)}
    if len(input_shape) not in kinds:
        raise UsageError(
            f"the cnn takes pictures or windows, these are rows of {input_shape[0]} values; give --model mlp"
        )
    convolution, pooling = kinds[len(input_shape)]
    if min(input_shape[:-1]) < 2 * 2:
        raise UsageError(f"the cnn halves its input twice, {input_shape} is too small for that; give --model mlp")
    return keras.Sequential(
        [
            keras.Input(input_shape, name="image"),
            convolution(32, 3, padding="same", activation=activation, name="conv_1"),
            pooling(2, name="pool_1"),
            convolution(64, 3, padding="same", activation=activation, name="conv_2"),
            pooling(2, name="pool_2"),
            layers.Flatten(name="flatten"),
            layers.Dense(128, activation=activation, name="dense_1"),
            layers.Dense(classes, activation="softmax", name="probabilities"),
        ],
        name="cnn",
    )
