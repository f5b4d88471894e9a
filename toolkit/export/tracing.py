"""Trace a Keras model in operators that converters know. Each is replaced by others that compute the same.

The replacements are made where TensorFlow is called, so they hold for any model, layers of the user's own included, and
leave the layers and their state as they are.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

from toolkit import extras


@contextmanager
def plainly() -> Iterator[None]:
    """Let TensorFlow functions that are traced in the block use plain operators."""
    tf = extras.load("tensorflow")
    with ExitStack() as replaced:
        for owner, name, replacement in (
            (tf, "reshape", _steady_reshape(tf)),
            (tf, "function", _inlined(tf)),
            (tf.image, "resize", _resize_by_products(tf)),
        ):
            replaced.enter_context(_replaced(owner, name, replacement))
        yield


@contextmanager
def unrolled(model: Any) -> Iterator[None]:
    """Let recurrent layers that are traced in the block be one operator after the other instead of a loop."""
    keras = extras.load("keras")
    with ExitStack() as replaced:
        for layer in model._flatten_layers():
            if isinstance(layer, keras.layers.RNN):
                replaced.enter_context(_replaced(layer, "unroll", True))
        yield


def is_recurrent(model: Any) -> bool:
    """Say whether a model has recurrent layers."""
    keras = extras.load("keras")
    return any(isinstance(layer, keras.layers.RNN) for layer in model._flatten_layers())


@contextmanager
def _replaced(owner: Any, name: str, replacement: Any) -> Iterator[None]:
    original = getattr(owner, name)
    setattr(owner, name, replacement)
    try:
        yield
    finally:
        setattr(owner, name, original)


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
