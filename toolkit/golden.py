"""``golden.npz``: recorded inputs and outputs, so that a device without TensorFlow and without data can compare."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from toolkit.files import atomic
from toolkit.files.arrays import Expected, Header, opened_npz

GOLDEN = "golden.npz"
_RECORDED = "recorded/"
# Rows of a golden: a classifier that errs on 1 % of them shows it with a probability above 99 %. More are not recorded,
# and not read: a file of a few MB may claim millions.
MOST_ROWS = 500
# More classes than this are a mistake, not a classifier for an edge device.
MAX_CLASSES = 10_000
# Of arrays of values: a row is a list, a table (steps, channels), a picture (steps, bands, channels), or a volume.
VALUE_RANKS = (2, 3, 4, 5)


@dataclass(frozen=True)
class Golden:
    """Rows of data with the outputs that they had on the machine that exported.

    images: pixels (N, H, W, C) uint8, or values (N, …) float32. labels: (N,) int64. reference: the Keras outputs,
    (N, classes) float32. recorded: the outputs of each artifact, by its path in the manifest, (N, classes) float32.
    """

    images: NDArray[Any]
    labels: NDArray[np.int64]
    reference: NDArray[np.float32]
    recorded: dict[str, NDArray[np.float32]]

    def write(self, path: Path) -> None:
        """Write the file atomically; the same content gives the same bytes."""
        arrays: dict[str, Any] = {"images": self.images, "labels": self.labels, "reference": self.reference}
        arrays |= {f"{_RECORDED}{name}": outputs for name, outputs in self.recorded.items()}
        with atomic(path) as temporary:
            np.savez_compressed(temporary, **arrays)


def read(path: Path) -> Golden:
    """Read a golden; ArtifactError if it is missing, damaged or not one. No array is read before all fit."""
    missing = "no such file; 'toolkit export' writes it"
    with opened_npz(path, what="a golden", missing=missing) as arrays:
        rows, *size = arrays.header("images", _kind(arrays.header("images"))).shape
        labels = Expected(("int64",), (rows,))
        reference = Expected(("float32",), (rows, None))
        classes = arrays.header("reference", reference).shape[1]
        if rows > MOST_ROWS or 0 in (rows, *size) or not 2 <= classes <= MAX_CLASSES:
            allowed = f"1 to {MOST_ROWS} images of 2 to {MAX_CLASSES:,} classes"
            raise ValueError(f"{rows} images of {tuple(size)} and {classes} classes; allowed: {allowed}")
        recorded = [name for name in arrays.names if name.startswith(_RECORDED)]
        for name, expected in (("labels", labels), *((name, reference) for name in recorded)):
            arrays.header(name, expected)
        record = Golden(
            arrays.read("images"),
            arrays.read("labels"),
            arrays.read("reference"),
            {name.removeprefix(_RECORDED): arrays.read(name) for name in recorded},
        )
        if not 0 <= record.labels.min() <= record.labels.max() < classes:
            raise ValueError(f"labels from {record.labels.min()} to {record.labels.max()} of {classes} classes")
        for name, values in (("images", record.images), ("reference", record.reference)):
            if not np.isfinite(values).all():
                raise ValueError(f"'{name}' holds what is no number")
    return record


def _kind(images: Header) -> Expected:
    """Return what the rows must be: values if they are floats of a rank that those have, else pixels."""
    rank = len(images.shape)
    if images.dtype.kind == "f" and rank in VALUE_RANKS:
        return Expected(("float32",), (None,) * rank)
    return Expected(("uint8",), (None,) * 4)
