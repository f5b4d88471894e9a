"""The words of tables, charts and claims for the values of a recipe."""

from collections.abc import Mapping
from typing import Any

AXIS_WORDS = {
    "model": "model",
    "optimizer": "optimizer",
    "activation": "activation",
    "learning_rate": "learning rate",
    "loss": "loss",
}
_VALUE_WORDS = {
    "cnn": "CNN",
    "mlp": "MLP",
    "adam": "Adam",
    "sgd": "SGD",
    "relu": "ReLU",
    "elu": "ELU",
    "categorical_crossentropy": "cross-entropy",
    "binary_crossentropy": "binary cross-entropy",
    "mse": "mean squared error",
    "val_loss": "validation loss",
    "val_accuracy": "validation accuracy",
    "loss": "training loss",
    "accuracy": "training accuracy",
}


def value(setting: object) -> str:
    """Return the word for a value on an axis: ``cross-entropy``, ``SGD``, ``0.01``."""
    return f"{setting:g}" if isinstance(setting, float) else _VALUE_WORDS.get(str(setting), str(setting))


def run(values: Mapping[str, Any], *, seed: int) -> str:
    """Return the words for a run: ``MLP Adam ReLU 0.01 cross-entropy seed 0``."""
    return " ".join([*(value(one) for one in values.values()), f"seed {seed}"])


def configuration(values: Mapping[str, Any]) -> str:
    """Return the words for some axes' values: ``MLP, Adam, learning rate 0.01``."""
    return ", ".join(
        f"{AXIS_WORDS[axis]} {value(one)}" if axis == "learning_rate" else value(one) for axis, one in values.items()
    )
