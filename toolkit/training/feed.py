"""Rows to the training loop: resident on the device if they fit, else streamed in blocks with the same results."""

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from toolkit.data.base import Split
from toolkit.files.memory import release
from toolkit.host import available_memory_bytes

# A resident copy may take this share of the free memory; the rest is for activations and for other programs. A GPU has
# a memory of its own. On a CPU a copy of more bytes wins nothing: to learn from a block takes far longer than to gather
# it.
RESIDENT_SHARE, RESIDENT_BYTES = 0.5, 1 << 29
# Size of one streamed block: it is gathered on the host while nothing trains, so it is kept small.
STREAM_BYTES = 64 * 2**20

Block = tuple[Any, ...]


class Feed:
    """Yields a split's rows in a given order as blocks (images, labels, order within the block, and what is beside)."""

    def __init__(self, tf: Any, split: Split) -> None:
        self._tf = tf
        self._split = split
        self._on_device: tuple[Any, Any] | None = None
        if _fits(tf, split.images.nbytes):
            try:
                self._on_device = self._tensors(split)
            except tf.errors.ResourceExhaustedError:  # a GPU with less memory than the host
                self._on_device = None
            release(split.images)

    @property
    def resident(self) -> bool:
        """Whether the rows lie on the device."""
        return self._on_device is not None

    def __len__(self) -> int:
        return len(self._split)

    def blocks(
        self,
        order: NDArray[np.int64],
        *,
        batches: int,
        batch_size: int,
        multiple: int = 1,
        beside: tuple[Any, ...] = (),
    ) -> Iterator[Block]:
        """Cut ``order`` into blocks of at most ``batches`` whole batches; only the last may end in part of one.

        multiple: each block but the last has a multiple of so many batches, even if that is more than ``batches``.
        beside: tensors (N, …) whose rows go with those of the split.
        """
        if self._on_device is None:
            batch_bytes = max(1, batch_size * self._split.images.nbytes // len(self._split))
            batches = min(batches, STREAM_BYTES // batch_bytes)
        rows = batch_size * max(multiple, batches - batches % multiple)
        for start in range(0, len(order), rows):
            part = order[start : start + rows]
            if self._on_device is not None:
                yield *self._on_device, part, *beside
            else:
                own = [self._tf.gather(tensor, part) for tensor in beside]
                yield *self._tensors(self._split.rows(part)), np.arange(len(part)), *own

    def _tensors(self, split: Split) -> tuple[Any, Any]:
        return self._tf.constant(split.images), self._tf.constant(split.labels, self._tf.int32)


def _fits(tf: Any, size: int) -> bool:
    """Say whether that many bytes are kept on the device."""
    available = available_memory_bytes()
    most = float("inf") if available is None else RESIDENT_SHARE * available
    return size <= (most if tf.config.get_visible_devices("GPU") else min(most, RESIDENT_BYTES))
