"""Max pooling in a form that XLA compiles well: the largest of strided slices.

XLA's gradient of a pooling window (SelectAndScatter) is slow on CPUs; that of a maximum is a choice element by element.
Values and gradients are the same, also where elements of a window tie: the first one gets the gradient.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import reduce
from itertools import product
from typing import Any

# Elements of a window up to which it is cut into slices, one each.
_MOST_SLICES = 9


@contextmanager
def pool_by_slices(tf: Any) -> Iterator[None]:
    """Let the max pooling that is traced in the block be slices. Larger, padded and overhanging windows stay."""
    original = tf.nn.max_pool

    def max_pool(images: Any, size: Any, strides: Any, padding: str, *others: Any, **options: Any) -> Any:
        windows = _windows(images, size, strides)
        if windows is None or padding != "VALID":
            return original(images, size, strides, padding, *others, **options)
        return reduce(tf.maximum, windows)

    tf.nn.max_pool = max_pool
    try:
        yield
    finally:
        tf.nn.max_pool = original


def _windows(images: Any, size: Any, strides: Any) -> list[Any] | None:
    """Return a slice (N, H, W, C) for each element of a window; None where that cannot be."""
    if images.shape.rank != 4:  # windows of steps
        return None
    pairs = [tuple(one) if isinstance(one, Sequence) else (one, one) for one in (size, strides)]
    (high, wide), (down, across) = pairs
    if None in images.shape[1:3] or high * wide > _MOST_SLICES:
        return None
    # One past the last start of a window, from its first element.
    bottom, right = (
        (length - window) // step * step + 1
        for length, window, step in zip(images.shape[1:3], pairs[0], pairs[1], strict=True)
    )
    return [
        images[:, top : top + bottom : down, left : left + right : across]
        for top, left in product(range(high), range(wide))
    ]
