"""Model architectures: one module a model, each with ``build``. Building needs TensorFlow."""

from typing import Any

from toolkit import extras, registry

# The activations of hidden layers that are offered; all have kernels in LiteRT and ONNX Runtime.
ACTIVATIONS = ("relu", "sigmoid", "tanh", "elu", "relu6", "leaky_relu")


def build(name: str, *, input_shape: tuple[int, int, int], classes: int, activation: str = "relu") -> Any:
    """Return an unfitted ``keras.Model``: images (N, H, W, C) float32 in [0, 1] to probabilities (N, classes)."""
    module = registry.member(__name__, name, kind="model")
    return module.build(extras.load("keras"), input_shape=input_shape, classes=classes, activation=activation)
