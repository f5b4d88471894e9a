"""The products of dense layers in bfloat16, added up in float32: for CPUs with instructions that do so.

Weights, and all else that is computed, stay in float32. It works within XLA alone, whose kernels for such products take
about half the time of those in float32 (``AVX512-BF16`` multiplies two numbers where float32 has one).
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

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
    """Return the product of a (N, K) and a (K, M) matrix, with its gradients, which are such products too."""
    from tensorflow.compiler.tf2xla.python import xla

    rows_by_columns = xla.DotDimensionNumbers(lhs_contracting_dimensions=[1], rhs_contracting_dimensions=[0])

    def dot(left: Any, right: Any) -> Any:
        return xla.dot_general(left, right, rows_by_columns, preferred_element_type=tf.float32, use_v2=True)

    def turned(matrix: Any) -> Any:
        # XLA would take the transposition into the product, and has no kernel in bfloat16 for that.
        (apart,) = xla.optimization_barrier(tf.transpose(matrix))
        return apart

    @tf.custom_gradient  # type: ignore[untyped-decorator]
    def product(left: Any, right: Any) -> Any:
        factors = tf.cast(left, tf.bfloat16), tf.cast(right, tf.bfloat16)

        def gradients(upstream: Any) -> tuple[Any, Any]:
            above = tf.cast(upstream, tf.bfloat16)
            return dot(above, turned(factors[1])), dot(turned(factors[0]), above)

        return dot(*factors), gradients

    made: Callable[[Any, Any], Any] = product
    return made
