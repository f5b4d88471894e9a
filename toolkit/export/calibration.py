"""The images that integer quantization takes its value ranges from."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from toolkit import units
from toolkit.data.base import RowSubset, Split
from toolkit.entries import TRAINED, CalibrationRows
from toolkit.errors import UsageError
from toolkit.overlap import RowDigest, row_digest

# Enough that the ranges of a small network no longer move; TensorFlow's guide suggests 100 to 500.
DEFAULT_COUNT, LEAST_COUNT = 500, 100
# Rows that are large, such as photos, are fewer: each has many more values for a range, and takes longer.
MOST_BYTES = 14 << 20


@dataclass(frozen=True)
class Calibration:
    """A seeded choice of training rows. images: as of a Split. is_trained: whether the model brings its own ranges."""

    images: NDArray[Any]
    rows: NDArray[np.int64]
    seed: int
    is_trained: bool = False

    def listed(self, data: str) -> CalibrationRows:
        """Return what the manifest says of them. data: the name of the data set that they are of."""
        digests = tuple(RowDigest(row_digest(image).hex()) for image in self.images)
        listed = CalibrationRows(data, len(self.rows), self.seed, tuple(self.rows.tolist()), digests)
        return replace(listed, ranges=TRAINED) if self.is_trained else listed


def choose(training: Split | RowSubset, *, count: int | None, seed: int) -> Calibration:
    """Choose ``count`` of the training rows; UsageError for more than there are.

    None stands for DEFAULT_COUNT; if MOST_BYTES hold fewer, for these, but for LEAST_COUNT at least; or for all rows if
    there are fewer.
    """
    if count is None:
        row_bytes = max(1, training.rows(slice(0, 1)).images.nbytes)
        count = min(DEFAULT_COUNT, max(LEAST_COUNT, MOST_BYTES // row_bytes), len(training))
    units.require_from("the seed", seed, 0, 2**32 - 1)
    if not 1 <= count <= len(training):
        raise UsageError(f"{count} calibration images were asked for; allowed: 1 to {len(training)}, the training rows")
    rows = np.sort(np.random.default_rng(seed).choice(len(training), size=count, replace=False))
    return Calibration(training.rows(rows).images, rows, seed)
