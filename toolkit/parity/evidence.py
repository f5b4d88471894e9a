"""What is kept of every row: enough to rebuild each published figure, small enough to be kept."""

import tempfile
import weakref
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from toolkit.convention import softmax

# prediction, confidence: the likeliest class and its output. margin: how far the second likeliest lies below it.
REFERENCE_ROW = np.dtype([("label", "<u2"), ("prediction", "<u2"), ("confidence", "<f4"), ("margin", "<f4")])
# kl: the divergence from the reference's outputs, in nats. difference: the largest of any output from the reference's.
CANDIDATE_ROW = np.dtype([("prediction", "<u2"), ("confidence", "<f4"), ("kl", "<f4"), ("difference", "<f4")])
# Outputs below this count as this, as in Keras' losses (keras.config.epsilon).
EPSILON = 1e-7
# Rows of one chunk. Sums are made chunk by chunk, so a figure is the same wherever it is computed.
CHUNK_ROWS = 4096

Rows = NDArray[np.void]


class RowFile:
    """Rows of one dtype on the disk, so that memory does not grow with their number."""

    def __init__(self, dtype: np.dtype[Any]) -> None:
        self.dtype = dtype
        self._file = tempfile.TemporaryFile()  # noqa: SIM115 — it lives as long as the table
        weakref.finalize(self, self._file.close)
        self._rows = 0

    def __len__(self) -> int:
        return self._rows

    def append(self, rows: Rows) -> None:
        """Add rows at the end."""
        self._file.seek(0, 2)
        self._file.write(np.ascontiguousarray(rows, self.dtype).tobytes())
        self._rows += len(rows)

    def chunks(self) -> Iterator[Rows]:
        """Yield all rows in order, CHUNK_ROWS at a time."""
        for start in range(0, self._rows, CHUNK_ROWS):
            self._file.seek(start * self.dtype.itemsize)
            yield np.frombuffer(self._file.read(CHUNK_ROWS * self.dtype.itemsize), self.dtype)


def reference_rows(outputs: NDArray[np.float32], labels: NDArray[np.int64], *, logits: bool = False) -> Rows:
    """Return what is kept of the reference's outputs, (N, classes); of logits, confidences are those of the softmax."""
    rows = np.empty(len(outputs), REFERENCE_ROW)
    best = np.sort(outputs, axis=1)[:, -2:]
    rows["label"] = labels
    rows["prediction"] = outputs.argmax(axis=1)
    rows["confidence"] = softmax(outputs).max(axis=1) if logits else best[:, 1]
    rows["margin"] = best[:, 1] - best[:, 0]
    return rows


def candidate_rows(
    outputs: NDArray[np.float32], reference: NDArray[np.float32], *, step: float | None = None, logits: bool = False
) -> Rows:
    """Return what is kept of an artifact's outputs, (N, classes), beside the reference's.

    step: of a quantized output, which cannot tell what is below half of it from 0: there both count as half of it.
    logits: whether both answer with logits; divergence and confidence are then those of the softmax.
    """
    rows = np.empty(len(outputs), CANDIDATE_ROW)
    rows["prediction"] = outputs.argmax(axis=1)
    if logits:
        probabilities, expected, least = softmax(outputs), softmax(reference), EPSILON
    else:
        probabilities, expected, least = outputs, reference, max(EPSILON, (step or 0.0) / 2)
    rows["confidence"] = probabilities.max(axis=1)
    rows["kl"] = _divergence(expected, probabilities, least)
    rows["difference"] = np.abs(outputs - reference).max(axis=1)
    return rows


def _divergence(reference: NDArray[np.float32], outputs: NDArray[np.float32], least: float) -> NDArray[np.float64]:
    """Return the Kullback-Leibler divergence of each row, in nats; the rows are made to sum to 1."""
    p, q = (np.maximum(values.astype(np.float64), least) for values in (reference, outputs))
    p /= p.sum(axis=1, keepdims=True)
    q /= q.sum(axis=1, keepdims=True)
    divergence: NDArray[np.float64] = np.maximum((p * np.log(p / q)).sum(axis=1), 0.0)
    return divergence
