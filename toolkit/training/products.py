"""The products of dense layers in bfloat16, added up in float32: for CPUs with instructions that do so.

Weights, gradients, and all else that is computed, stay in float32. It works within XLA alone. AVX512-BF16 multiplies
two numbers in bfloat16 where there is one in float32.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from toolkit import extras

# Multiplications from which a product is worth rounding its factors: that costs about as much as small products do.
LEAST_MACS = 1 << 20


@contextmanager
def in_bfloat16(tf: Any) -> Iterator[None]:
    """Let the large products of two float32 matrices that are traced in the block be of numbers in bfloat16."""
    original, product = tf.matmul, _product(tf)

    def matmul(left: Any, right: Any, *others: Any, **options: Any) -> Any:
        changed = any(others) or any(options.values())
        if changed or not _is_large(left, right) or {left.dtype, right.dtype} != {tf.float32}:
            return original(left, right, *others, **options)
        return product(left, right)

    tf.matmul = matmul
    try:
        yield
    finally:
        tf.matmul = original


def _is_large(left: Any, right: Any) -> bool:
    sizes = [*left.shape, *right.shape[1:]]
    return (
        len(left.shape) == len(right.shape) == 2 and None not in sizes and sizes[0] * sizes[1] * sizes[2] >= LEAST_MACS
    )


def _product(tf: Any) -> Callable[[Any, Any], Any]:
    """Return the product of rows (N, K) and weights (K, M); the gradient of the weights is such a product too.

    That of the rows is in float32: the rows of the first layer need none, and then it is not computed.
    """
    xla = extras.load("tensorflow.compiler.tf2xla.python.xla")
    rows_by_columns = xla.DotDimensionNumbers(lhs_contracting_dimensions=[1], rhs_contracting_dimensions=[0])

    multiply = tf.matmul

    def dot(left: Any, right: Any) -> Any:
        return xla.dot_general(left, right, rows_by_columns, preferred_element_type=tf.float32, use_v2=True)

    @tf.custom_gradient  # type: ignore[untyped-decorator]
    def product(rows: Any, weights: Any) -> Any:
        # Apart: what the rows are made of would be computed once more for the gradient.
        (apart,) = xla.optimization_barrier(rows)

        def gradients(upstream: Any) -> tuple[Any, Any]:
            # XLA would take the transposition into the product, and has no kernel in bfloat16 for that.
            (turned,) = xla.optimization_barrier(tf.cast(tf.transpose(apart), tf.bfloat16))
            return multiply(upstream, weights, transpose_b=True), dot(turned, tf.cast(upstream, tf.bfloat16))

        return dot(tf.cast(apart, tf.bfloat16), tf.cast(weights, tf.bfloat16)), gradients

    made: Callable[[Any, Any], Any] = product
    return made
