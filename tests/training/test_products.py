"""Products in bfloat16: what they and their gradients are, and what stays in float32."""

import numpy as np
import pytest

from toolkit import extras
from toolkit.training import products

pytestmark = pytest.mark.slow

# Half of the distance of two numbers in bfloat16 that follow each other, as a share: it has 8 bits.
ROUNDING = 2.0**-9


def multiplied(left, right, *, rounded):
    """Return a product of matrices within XLA, and the gradients of its weighted sum."""
    tf = extras.load("tensorflow")

    @tf.function(jit_compile=True)
    def computed(left, right):
        with tf.GradientTape() as tape:
            tape.watch([left, right])
            if rounded:
                with products.in_bfloat16(tf):
                    product = tf.matmul(left, right, output_type=None)
            else:
                product = tf.matmul(left, right)
            total = tf.reduce_sum(product * tf.reshape(tf.linspace(-1.0, 1.0, tf.size(product)), product.shape))
        return product, *tape.gradient(total, [left, right])

    return [one.numpy() for one in computed(tf.constant(left), tf.constant(right))]


def matrices(rows, inputs, outputs):
    rng = np.random.default_rng(0)
    return rng.normal(size=(rows, inputs)).astype(np.float32), rng.normal(size=(inputs, outputs)).astype(np.float32)


def test_large_products_and_their_gradients_by_weights_are_of_rounded_factors():
    """Sums are not rounded, so the error is that of two factors at most: each product's, of all that are added up."""
    left, right = matrices(32, 512, 64)
    (expected, by_rows, by_weights), found = (multiplied(left, right, rounded=rounded) for rounded in (False, True))
    above = np.linspace(-1, 1, 32 * 64, dtype=np.float32).reshape(32, 64)
    np.testing.assert_array_equal(found[1], by_rows)
    for one, other, size in (
        (found[0], expected, abs(left) @ abs(right)),
        (found[2], by_weights, abs(left.T) @ abs(above)),
    ):
        assert one.dtype == np.float32
        assert (abs(one - other) <= 2.01 * ROUNDING * size).all()
        assert abs(one - other).max() > 1e-4 * abs(other).max()


def test_numbers_of_8_bits_lose_nothing():
    left, right = (np.round(8 * one).astype(np.float32) for one in matrices(32, 512, 64))
    np.testing.assert_array_equal(
        multiplied(left, right, rounded=True)[0], left.astype(np.float64) @ right.astype(np.float64)
    )


def test_small_products_stay_in_float32():
    left, right = matrices(32, 64, 10)
    for one, other in zip(*(multiplied(left, right, rounded=rounded) for rounded in (True, False)), strict=True):
        np.testing.assert_array_equal(one, other)


def test_other_products_are_tensorflow_s_own():
    tf = extras.load("tensorflow")
    original = tf.matmul
    left, right = matrices(32, 512, 64)
    with products.in_bfloat16(tf):
        assert tf.matmul is not original
        np.testing.assert_array_equal(tf.matmul(left.T, right, transpose_a=True), original(left, right))
        np.testing.assert_array_equal(tf.matmul(left[None], right[None]), original(left[None], right[None]))
        half = [tf.cast(one, tf.bfloat16) for one in (left, right)]
        np.testing.assert_array_equal(tf.cast(tf.matmul(*half), tf.float32), tf.cast(original(*half), tf.float32))
    assert tf.matmul is original
