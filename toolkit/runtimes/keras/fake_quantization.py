"""Layers of Keras that round as integer kernels do, so that a network learns with what it will compute.

Weights are rounded per output channel around 0, activations per tensor between two bounds that training moves (Jacob et
al. 2018, "Quantization and training of neural networks for efficient integer-arithmetic-only inference"). The gradient
of rounding is taken as 1 within the bounds and as 0 outside.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from types import SimpleNamespace
from typing import Any

from toolkit import extras

PACKAGE = "toolkit"
# Kinds of layers with weights that are rounded, and what their counterparts here are called.
KINDS = ("Dense", "Conv1D", "Conv2D", "DepthwiseConv1D", "DepthwiseConv2D")
PREFIX = "Quantized"
ACTIVATIONS = "FakeQuantize"
REGISTERED = tuple(f"{PACKAGE}>{name}" for name in (ACTIVATIONS, *(PREFIX + kind for kind in KINDS)))
# The greatest step of a weight: 7 bits. The sum of two products with 8-bit activations then fits into the 16 bits in
# which some CPUs add it (toolkit/runtimes/onnxruntime/saturation.py), and one training holds for TFLite and ONNX.
GREATEST = 64
# A channel whose greatest weight is less has faded: in its steps a bias would not fit into 32 bits.
LEAST_WEIGHT = 2.0**-12
# The narrowest bounds of activations, also of those that are always 0.
LEAST_BOUND = 1e-3
# How much of a batch's bounds goes into the moving ones, as in PyTorch's MovingAverageMinMaxObserver.
MOVED = 0.01

_ROUNDS = ContextVar("_ROUNDS", default=True)


@contextmanager
def unrounded() -> Iterator[None]:
    """Let activations that are computed or traced in the block pass as they are. Weights are rounded all the same."""
    before = _ROUNDS.set(False)
    try:
        yield
    finally:
        _ROUNDS.reset(before)


def bounds_of(model: Any) -> list[Any]:
    """Return the layers of a model that round activations, from input to output; none for a model in float."""
    return [layer for layer in model._flatten_layers() if type(layer).__name__ == ACTIVATIONS]


@cache
def layers() -> SimpleNamespace:
    """Return the classes of the layers by name, known to Keras from then on."""
    tf, keras = extras.load("tensorflow"), extras.load("keras")
    register = keras.saving.register_keras_serializable(PACKAGE)

    @register
    class FakeQuantize(keras.layers.Layer):  # type: ignore[misc,name-defined]
        """Rounds to 256 steps from ``low`` to ``high``, of which one is 0.

        moving: whether the bounds follow the batches of training. ``moved`` is the share of each batch in them; it is a
        weight, so that it can change without compiling the training again.
        """

        def __init__(self, low: float = 0.0, high: float = LEAST_BOUND, moving: bool = True, **options: Any) -> None:
            super().__init__(**options)
            self._first, self._moving = (low, high), moving

        def build(self, input_shape: Any) -> None:
            """Make the bounds."""
            given = zip(("low", "high", "moved"), (*self._first, MOVED if self._moving else 0.0), strict=True)
            for name, value in given:
                fixed = keras.initializers.Constant(value)
                weight = self.add_weight((), fixed, name=name, trainable=False, aggregation="mean")
                setattr(self, name, weight)

        def call(self, values: Any, training: bool = False) -> Any:
            """Round."""
            if not _ROUNDS.get():
                return values
            if training and self._moving:
                low = tf.minimum(tf.reduce_min(values), 0.0)
                high = tf.maximum(tf.reduce_max(values), LEAST_BOUND)
                self.low.assign(self.low + self.moved * (tf.stop_gradient(low) - self.low))
                self.high.assign(self.high + self.moved * (tf.stop_gradient(high) - self.high))
            return tf.quantization.fake_quant_with_min_max_vars(
                values, tf.convert_to_tensor(self.low), tf.convert_to_tensor(self.high)
            )

        def compute_output_shape(self, input_shape: Any) -> Any:
            """Return the shape that comes in."""
            return input_shape

        def get_config(self) -> dict[str, Any]:
            """Return what makes the layer again, without its bounds."""
            (low, high), moving = self._first, self._moving
            return {**super().get_config(), "low": low, "high": high, "moving": moving}

    made = {FakeQuantize.__name__: FakeQuantize}
    for kind in KINDS:
        name = PREFIX + kind
        made[name] = register(type(name, (getattr(keras.layers, kind),), {"call": _call(tf, keras, kind)}))
    return SimpleNamespace(**made)


def _call(tf: Any, keras: Any, kind: str) -> Any:
    """Return the method by which a kind of layer computes with rounded weights, channels last."""

    def call(layer: Any, inputs: Any) -> Any:
        is_depthwise = kind.startswith("Depthwise")
        kernel = rounded(tf, layer.kernel, channel_axes=2 if is_depthwise else 1)
        if kind == "Dense":
            outputs = keras.ops.matmul(inputs, kernel)
        else:
            convolve = keras.ops.depthwise_conv if is_depthwise else keras.ops.conv
            options = {name: getattr(layer, name) for name in ("strides", "padding", "dilation_rate")}
            outputs = convolve(inputs, kernel, **options)
        if layer.use_bias:
            outputs = outputs + layer.bias
        return layer.activation(outputs)

    return call


def rounded(tf: Any, kernel: Any, *, channel_axes: int) -> Any:
    """Return a kernel whose output channels have steps of their own, ``GREATEST`` of them to the greatest weight.

    channel_axes: how many of the last axes are those channels. A channel that has faded is 0.
    """
    kernel = tf.convert_to_tensor(kernel)
    greatest = tf.reduce_max(tf.abs(kernel), axis=list(range(len(kernel.shape) - channel_axes)))
    step = tf.maximum(greatest, LEAST_WEIGHT) / GREATEST
    steps = tf.where(greatest < LEAST_WEIGHT, 0.0, tf.round(kernel / step) * step)
    return kernel + tf.stop_gradient(steps - kernel)
