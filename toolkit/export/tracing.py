"""Trace a Keras model in operators that converters know. Each is replaced by others that compute the same.

The replacements are made where TensorFlow is called, so they hold for any model, layers of the user's own included, and
leave the layers and their state as they are.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

from toolkit import extras


@contextmanager
def plain_operators() -> Iterator[None]:
    """Let TensorFlow functions that are traced in the block use plain operators."""
    tf = extras.load("tensorflow")
    with ExitStack() as changed:
        for owner, name, replacement in (
            (tf, "reshape", _steady_reshape(tf)),
            (tf, "function", _inlined(tf)),
            (tf.image, "resize", _resize_by_products(tf)),
        ):
            changed.enter_context(replaced(owner, name, replacement))
        yield


@contextmanager
def unrolled(model: Any) -> Iterator[None]:
    """Let recurrent layers that are traced in the block be one operator after the other instead of a loop."""
    tf, keras = extras.load("tensorflow"), extras.load("keras")
    with ExitStack() as changed:
        changed.enter_context(replaced(tf, "where", _where(tf)))
        for layer in model._flatten_layers():
            if isinstance(layer, keras.layers.RNN):
                changed.enter_context(replaced(layer, "unroll", True))
                if layer.go_backwards:
                    changed.enter_context(replaced(layer, "inner_loop", _turned(tf, layer)))
                    changed.enter_context(replaced(layer, "go_backwards", False))
        yield


def select(tf: Any, condition: Any, values: Any, otherwise: Any) -> Any:
    """Return ``values`` where a condition is true, else what is there otherwise: of zeros, by a product.

    So a masked recurrent layer keeps its first state. In int8 the zeros have a scale of their own, which XNNPACK
    cannot bring to that of the values (ai-edge-litert 2.3: "failed to create XNNPACK runtime").
    """
    operator = otherwise.op
    value = tf.get_static_value(operator.inputs[1] if operator.type == "Fill" else otherwise)
    is_zero = operator.type == "ZerosLike" or (value is not None and not value.any())
    if is_zero and values.dtype.is_floating:
        return values * tf.cast(condition, values.dtype)
    return tf.raw_ops.SelectV2(condition=condition, t=values, e=otherwise)


def is_recurrent(model: Any) -> bool:
    """Say whether a model has recurrent layers."""
    keras = extras.load("keras")
    return any(isinstance(layer, keras.layers.RNN) for layer in model._flatten_layers())


@contextmanager
def replaced(owner: Any, name: str, replacement: Any) -> Iterator[None]:
    """Let an attribute be another in the block."""
    original = getattr(owner, name)
    setattr(owner, name, replacement)
    try:
        yield
    finally:
        setattr(owner, name, original)


def _turned(tf: Any, layer: Any) -> Callable[..., Any]:
    """Return the loop of a layer that goes backwards, as one that goes forwards over the turned rows.

    Unrolled, Keras (3.15) turns the mask of the steps, and not that by which it sets their outputs to 0.
    """
    original = layer.inner_loop

    def inner_loop(sequences: Any, initial_state: Any, mask: Any, training: bool = False) -> Any:
        turned = None if mask is None else tf.reverse(mask, [1])
        return original(tf.reverse(sequences, [1]), initial_state, turned, training=training)

    return inner_loop


def _where(tf: Any) -> Callable[..., Any]:
    """Return ``tf.where`` as recurrent layers call it."""
    original = tf.where

    def where(condition: Any, x: Any = None, y: Any = None, name: str | None = None) -> Any:
        is_masked = all(tf.is_symbolic_tensor(one) for one in (condition, x, y))
        return select(tf, condition, x, y) if is_masked else original(condition, x, y, name)

    return where


def _steady_reshape(tf: Any) -> Callable[..., Any]:
    """Return ``tf.reshape`` that asks for -1 where one size alone is known at run time only.

    Keras' Flatten and Reshape ask the batch for its size. In TFLite that leaves operators on shapes in the middle of
    the network, so XNNPACK takes it in two parts instead of one; in ONNX it leaves five operators on shapes.
    """
    original = tf.reshape

    def reshape(tensor: Any, shape: Any, name: str | None = None) -> Any:
        if isinstance(shape, (list, tuple)):
            sizes = [size if isinstance(size, int) else -1 for size in shape]
            if sizes.count(-1) == 1 and 0 not in sizes:
                shape = sizes
        return original(tensor, shape, name)

    return reshape


def _inlined(tf: Any) -> Callable[..., Any]:
    """Return ``tf.function`` that leaves functions for XLA as part of the graph that calls them.

    Keras makes one of each grouped convolution, for the sake of CPUs; converters cannot look into it.
    """
    original = tf.function

    def function(func: Any = None, **options: Any) -> Any:
        if not options.get("jit_compile"):
            return original(func, **options)
        return func if func is not None else lambda one: one

    return function


def _resize_by_products(tf: Any) -> Callable[..., Any]:
    """Return ``tf.image.resize`` that resizes by two matrix products where converters know no operator for it.

    Each axis is resized by a linear map, whose matrix is what resizing the unit matrix along that axis gives.
    """
    original = tf.image.resize

    def matrix(rows: int, size: int, method: str, antialias: bool) -> Any:
        unit = tf.reshape(tf.eye(rows), (1, rows, rows, 1))
        return tf.get_static_value(original(unit, (size, rows), method=method, antialias=antialias))[0, :, :, 0]

    def resize(images: Any, size: Any, method: str = "bilinear", antialias: bool = False, **options: Any) -> Any:
        shape = images.shape.as_list()
        is_fixed = isinstance(size, Sequence) and all(isinstance(one, int) for one in size) and None not in shape[1:]
        is_known = method == "nearest" or (method == "bilinear" and not antialias)
        if is_known or any(options.values()) or len(shape) != 4 or not is_fixed:
            return original(images, size, method=method, antialias=antialias, **options)
        (_, height, width, channels), (new_height, new_width) = shape, size
        with tf.init_scope():
            down = matrix(height, new_height, method, antialias)
            across = matrix(width, new_width, method, antialias)
        rows = tf.reshape(tf.cast(images, tf.float32), (-1, height, width * channels))
        rows = tf.reshape(tf.linalg.matmul(down, rows), (-1, width, channels))
        return tf.reshape(tf.linalg.matmul(across, rows), (-1, new_height, new_width, channels))

    return resize
