"""Max pooling as slices: the values and the gradients of TensorFlow's own."""

import numpy as np
import pytest

from toolkit import extras
from toolkit.training import pooling

pytestmark = pytest.mark.slow


def pooled(images, *, slices, **options):
    """Return what a Keras layer makes of images, and the gradient of a weighted sum of it by them."""
    tf, keras = extras.load("tensorflow"), extras.load("keras")
    values = tf.constant(images)
    layer = keras.layers.MaxPooling2D(**options)
    calls, original = [], tf.nn.max_pool
    if slices:
        tf.nn.max_pool = lambda *given, **rest: calls.append(given) or original(*given, **rest)
    try:
        with tf.GradientTape() as tape:
            tape.watch(values)
            if slices:
                with pooling.pool_by_slices(tf):
                    outputs = layer(values)
            else:
                outputs = layer(values)
            weights = tf.reshape(tf.range(1.0, tf.size(outputs, out_type=tf.float32) + 1), outputs.shape)
            total = tf.reduce_sum(outputs * weights)
    finally:
        tf.nn.max_pool = original
    return outputs.numpy(), tape.gradient(total, values).numpy(), len(calls)


@pytest.mark.parametrize(
    ("options", "as_it_was"),
    [
        ({"pool_size": 2}, 0),
        ({"pool_size": (2, 3)}, 0),
        ({"pool_size": 3, "strides": 2}, 0),
        ({"pool_size": 4}, 1),
        ({"pool_size": 2, "padding": "same"}, 1),
    ],
)
@pytest.mark.parametrize("size", [(8, 8), (7, 9)])
def test_pooling_by_slices_has_the_same_values_and_gradients(options, as_it_was, size):
    """Half of the values are 0, as after ReLU, so that many windows tie."""
    images = np.random.default_rng(0).normal(0, 1, (3, *size, 2)).clip(0).astype(np.float32)
    *expected, _ = pooled(images, slices=False, **options)
    *found, calls = pooled(images, slices=True, **options)
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_array_equal(one, other)
    assert calls == as_it_was
