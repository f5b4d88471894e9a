"""Make of a network in float the one that learns with what integer kernels will compute (quantization-aware training).

Batch normalization is folded into the layer before it, with its last statistics, which are frozen. So the weights that
are rounded are those that the kernels get (Krishnamoorthi 2018, "Quantizing deep convolutional networks for efficient
inference", section 3.2.2). Activations are rounded where the kernels round them.
"""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from toolkit.convention import Convention, layout_of
from toolkit.data.base.parts import Parts
from toolkit.data.base.pixels import chunks
from toolkit.errors import UsageError
from toolkit.runtimes.keras import fake_quantization
from toolkit.runtimes.keras.fake_quantization import KINDS, LEAST_BOUND, MOVED, PREFIX, bounds_of
from toolkit.runtimes.keras.layers import calls

# Layers that only move values, or choose among them: what they give out is rounded already. Those that draw random
# numbers do so in training alone.
_MOVERS = (
    *("Flatten", "Reshape", "Permute", "ZeroPadding1D", "ZeroPadding2D", "Cropping1D", "Cropping2D"),
    *("MaxPooling1D", "MaxPooling2D", "GlobalMaxPooling1D", "GlobalMaxPooling2D"),
    *("Dropout", "SpatialDropout1D", "SpatialDropout2D", "GaussianNoise", "GaussianDropout"),
)
# Averages that integer kernels give out in the steps of what comes in.
_AVERAGES = ("AveragePooling1D", "AveragePooling2D")
# Layers whose results get bounds of their own.
_OTHERS = ("Add", "GlobalAveragePooling1D", "GlobalAveragePooling2D", "Normalization")
_SEPARABLE = ("SeparableConv1D", "SeparableConv2D")
_NORMALIZATION = "BatchNormalization"
# Activations that kernels compute within the layer before them; for these no rounding lies between the two.
_FUSED = ("linear", "relu", "relu6")
# Those of their own, and the bounds of those whose results kernels always give out in the same steps
# (https://ai.google.dev/edge/litert/models/quantization_spec).
_ACTIVATIONS = ("elu", "leaky_relu", "sigmoid", "tanh", "softmax")
_BOUNDS = {"sigmoid": (0.0, 255 / 256), "softmax": (0.0, 255 / 256), "tanh": (-1.0, 127 / 128)}
# Training rows that the first bounds are taken from, so many at a time.
FIRST_ROWS, AT_ONCE = 500, 50


def fake_quantized(keras: Any, model: Any, parts: Parts) -> Any:
    """Return a network as it learns for integer kernels: rounding, without batch normalization, of the same names.

    One that rounds already is returned as it is. UsageError for layers that are not known to integer kernels.
    """
    if bounds_of(model):
        return model
    made = _Rounding(keras, is_pixels=parts.dataset.is_pixels).rounded(model)
    _take_first_bounds(keras, made, parts)
    return made


def check(keras: Any, model: Any) -> None:
    """Raise UsageError if a network has layers that are not known to integer kernels."""
    _Rounding(keras, is_pixels=True).rounded(model)


def move_bounds(model: Any, *, moving: bool) -> None:
    """Let the bounds of activations follow the batches from now on, or stay as they are."""
    for layer in bounds_of(model):
        layer.moved.assign(MOVED if moving else 0.0)


def _take_first_bounds(keras: Any, model: Any, parts: Parts) -> None:
    """Let every moving bound begin with the least and the greatest value of some training rows, without rounding."""
    moving = [layer for layer in bounds_of(model) if layer.get_config()["moving"]]
    if not moving:
        return
    values = keras.Model(model.inputs[0], [layer._inbound_nodes[0].input_tensors[0] for layer in moving])
    lows, highs = np.zeros(len(moving)), np.full(len(moving), LEAST_BOUND)
    # By chance: rows that are sorted by class would show those of one class alone.
    rows = np.random.default_rng(0).permutation(parts.training_rows)[:FIRST_ROWS]
    images = parts.dataset.train.images
    convention = Convention(layout=layout_of(model.input_shape)).taking(images)
    with fake_quantization.unrounded():
        for some in chunks(rows, AT_ONCE):
            given = convention.values(images[some])
            for number, one in enumerate(keras.tree.flatten(values(given, training=False))):
                tensor = np.asarray(one)
                lows[number], highs[number] = min(lows[number], tensor.min()), max(highs[number], tensor.max())
    for layer, low, high in zip(moving, lows, highs, strict=True):
        layer.low.assign(low)
        layer.high.assign(high)


class _Rounding:
    """One network that is being made of another, call by call."""

    def __init__(self, keras: Any, *, is_pixels: bool) -> None:
        self._keras = keras
        self._is_pixels = is_pixels
        self._layers = fake_quantization.layers()
        self._bounds: dict[int, Any] = {}  # of a tensor of the new network, the layer that rounded it
        self._seen: set[int] = set()
        self._names: set[str] = set()

    def rounded(self, model: Any) -> Any:
        """Return the new network."""
        network = self._keras.Model(model.inputs, model.outputs)
        (given,) = network.inputs
        image = self._keras.Input(batch_shape=given.shape, dtype=given.dtype, name=given.name)
        first = next(node for node in calls(network) if not node.is_input)
        start = image
        if type(first.operation).__name__ != "Normalization":  # which computes in float
            # Pixels from 0 to 1 are whole steps.
            start = self._round(image, "image", bounds=(0.0, 1.0) if self._is_pixels else None)
        (answer,) = self._run(network, [start], is_last=True)
        return self._keras.Model(image, answer, name=model.name)

    def _run(self, network: Any, given: Sequence[Any], *, is_last: bool) -> list[Any]:
        """Return what comes out of a functional network. is_last: whether that is the answer, which stays in float."""
        values = {id(tensor): value for tensor, value in zip(network.inputs, given, strict=True)}
        every = [node for node in calls(network) if not node.is_input]
        readers: dict[int, list[Any]] = {}
        for node in every:
            for tensor in node.input_tensors:
                readers.setdefault(id(tensor), []).append(node)
        answers = {id(tensor) for tensor in network.outputs}
        for node in every:
            (output,) = node.outputs
            if id(output) in values:  # a normalization that was folded
                continue
            reader = _only(readers.get(id(output), ()))
            inputs = [values[id(tensor)] for tensor in node.input_tensors]
            layer, normalization = node.operation, None
            if id(layer) in self._seen:
                raise UsageError(f"--qat cannot round the layer '{layer.name}', which is called several times")
            self._seen.add(id(layer))
            if reader is not None and _can_take(layer) and _is_of_channels(reader.operation, output):
                normalization, (output,) = reader.operation, reader.outputs
                reader = _only(readers.get(id(output), ()))
            is_answer = is_last and id(output) in answers
            is_fused = reader is not None and _is_fused(reader.operation)
            value = self._call(layer, normalization, inputs, is_answer=is_answer, is_fused=is_fused)
            values |= {id(tensor): value for tensor in (*node.outputs, output)}
        return [values[id(tensor)] for tensor in network.outputs]

    def _call(self, layer: Any, normalization: Any, inputs: list[Any], *, is_answer: bool, is_fused: bool) -> Any:
        """Return the output of the counterpart of a layer, rounded unless kernels compute the next layer within it."""
        keras, kind = self._keras, type(layer).__name__
        if getattr(layer, "layers", None) and getattr(layer, "inputs", None):
            (value,) = self._run(keras.Model(layer.inputs, layer.outputs), inputs, is_last=is_answer)
            return value
        if layer.name in self._names:
            raise UsageError(
                f"--qat makes one network of those within it, in which two layers are called '{layer.name}'; "
                "give each a name of its own"
            )
        self._names.add(layer.name)
        if type(layer) is not getattr(keras.layers, kind, None):
            kind = ""  # one of the user's own, or an operation without a layer
        if kind in KINDS or kind in _SEPARABLE:
            return self._weighted(layer, normalization, inputs[0], is_answer=is_answer, is_fused=is_fused)
        activation = _activation(layer)
        if kind in (*_MOVERS, *_AVERAGES, *_OTHERS) or activation in (*_FUSED, *_ACTIVATIONS):
            value = self._copied(layer, inputs)
            if kind in _MOVERS:
                self._bounds[id(value)] = self._bounds.get(id(inputs[0]))
                return value
            if kind in _AVERAGES and (bounds := self._bounds.get(id(inputs[0]))):
                return self._kept(bounds(value, training=False), bounds)
            if is_answer or is_fused:
                return value
            return self._round(value, layer.name, bounds=_BOUNDS.get(activation or ""))
        known = ", ".join(sorted((*KINDS, *_SEPARABLE, *_OTHERS, *_AVERAGES, *_MOVERS)))
        why = "is not behind a layer that it can be folded into" if kind == _NORMALIZATION else "is not rounded"
        raise UsageError(
            f"--qat: the layer '{layer.name}' ({type(layer).__name__}) {why}; it takes networks of {known}, "
            f"the activations {', '.join((*_FUSED[1:], *_ACTIVATIONS))}, and {_NORMALIZATION} right behind a layer of "
            f"weights without activation"
        )

    def _weighted(self, layer: Any, normalization: Any, value: Any, *, is_answer: bool, is_fused: bool) -> Any:
        """Return what a layer with weights gives out, with a batch normalization folded into it."""
        activation = _activation(layer)
        if activation not in (*_FUSED, *_ACTIVATIONS):
            raise UsageError(
                f"--qat: the layer '{layer.name}' has an activation that is not rounded; allowed: "
                f"{', '.join((*_FUSED, *_ACTIVATIONS))}"
            )
        if getattr(layer, "data_format", "channels_last") != "channels_last":
            raise UsageError(f"--qat: the layer '{layer.name}' has its channels first; it takes channels last")
        if getattr(layer, "padding", "") == "causal":
            raise UsageError(
                f"--qat: the layer '{layer.name}' pads causally; put a ZeroPadding1D before it and give it "
                "padding='valid'"
            )
        config = layer.get_config()
        own = activation in _ACTIVATIONS
        kind, weights = type(layer).__name__, [np.asarray(one) for one in layer.get_weights()]
        if kind in _SEPARABLE:
            kind, (depthwise, *weights) = kind.replace("Separable", ""), weights
            value = self._depthwise(layer, config, depthwise, value)
            config = {name: config[name] for name in ("name", "trainable", "dtype", "filters", "use_bias")}
            config["kernel_size"] = 1
        config |= {"use_bias": True, "activation": "linear" if own else activation}
        made = getattr(self._layers, PREFIX + kind).from_config(config)
        result = made(value)
        bias = weights[1] if len(weights) > 1 else np.zeros(result.shape[-1], np.float32)
        made.set_weights(_folded(weights[0], bias, normalization))
        if own:
            result = self._round(result, layer.name)
            result = self._keras.layers.Activation(activation, name=f"{layer.name}_{activation}")(result)
        if is_answer or (is_fused and not own):
            return result
        name = f"{layer.name}_{activation}" if own else layer.name
        return self._round(result, name, bounds=_BOUNDS.get(activation) if own else None)

    def _depthwise(self, layer: Any, config: dict[str, Any], kernel: NDArray[Any], value: Any) -> Any:
        """Return what the first half of a separable convolution gives out."""
        kept = ("kernel_size", "strides", "padding", "depth_multiplier", "dilation_rate", "trainable", "dtype")
        kind = type(layer).__name__.replace("Separable", "Depthwise")
        name = f"{layer.name}_depthwise"
        made = getattr(self._layers, PREFIX + kind)(**{key: config[key] for key in kept}, name=name)
        result = made(value)
        made.set_weights([kernel, np.zeros(result.shape[-1], np.float32)])
        return self._round(result, name)

    def _copied(self, layer: Any, inputs: list[Any]) -> Any:
        """Return what a layer of its own with the same state gives out."""
        made = type(layer).from_config(layer.get_config())
        value = made(inputs if len(inputs) > 1 else inputs[0])
        if layer.weights:
            made.set_weights(layer.get_weights())
        if hasattr(made, "finalize_state"):  # of Normalization: what it computes with is made of its weights
            made.finalize_state()
        return value

    def _round(self, value: Any, name: str, bounds: tuple[float, float] | None = None) -> Any:
        low, high = bounds or (0.0, LEAST_BOUND)
        made = self._layers.FakeQuantize(low, high, moving=bounds is None, name=f"{name}_bounds")
        return self._kept(made(value), made)

    def _kept(self, value: Any, bounds: Any) -> Any:
        self._bounds[id(value)] = bounds
        return value


def _only(readers: Iterable[Any]) -> Any:
    every = list(readers)
    return every[0] if len(every) == 1 else None


def _is_of_channels(layer: Any, value: Any) -> bool:
    """Say whether a layer is a batch normalization of the last axis of a value."""
    return type(layer).__name__ == _NORMALIZATION and layer.axis in (-1, len(value.shape) - 1)


def _can_take(layer: Any) -> bool:
    """Say whether a batch normalization behind this layer can be folded into it."""
    return type(layer).__name__ in (*KINDS, *_SEPARABLE) and _activation(layer) == "linear"


def _activation(layer: Any) -> str | None:
    """Return the name of the activation that a layer is or has; None for a layer without, "" for an unknown one."""
    kind = type(layer).__name__
    if kind == "ReLU" and not layer.negative_slope and not layer.threshold:
        return {None: "relu", 6: "relu6"}.get(layer.max_value, "")
    named = {"Softmax": "softmax", "ELU": "elu", "LeakyReLU": "leaky_relu"}
    activation = getattr(layer, "activation", None)
    return named.get(kind) or getattr(activation, "__name__", None)


def _is_fused(layer: Any) -> bool:
    """Say whether kernels compute a layer within the one before it."""
    return type(layer).__name__ in ("ReLU", "Activation") and _activation(layer) in ("relu", "relu6")


def _folded(kernel: NDArray[Any], bias: NDArray[Any], normalization: Any) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return kernel (…, channels) and bias (channels,) with which a layer computes what is normalized behind it."""
    if normalization is None:
        return kernel, bias
    ones, zeros = np.ones(len(bias)), np.zeros(len(bias))
    gamma = np.asarray(normalization.gamma) if normalization.scale else ones
    beta = np.asarray(normalization.beta) if normalization.center else zeros
    factor = gamma / np.sqrt(np.asarray(normalization.moving_variance, np.float64) + normalization.epsilon)
    shape = kernel.shape[-2:] if kernel.shape[-1] != len(bias) else (len(bias),)
    return kernel * factor.reshape(shape), beta + (bias - np.asarray(normalization.moving_mean)) * factor
