"""The images of a comparison, and what the reference answers to them."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from toolkit.data.base.pixels import chunks
from toolkit.parity import checks
from toolkit.parity.evidence import REFERENCE_ROW, RowFile, reference_rows


@dataclass(frozen=True)
class Material:
    """The images of a comparison and what the reference answers to them; arrays may be mapped files.

    images: (N, H, W, C) uint8. reference: (N, classes) float32. table: what is kept of the reference's answers.
    recorded: the outputs of each artifact on the machine that exported it, by its path, where it is a golden.
    logits: whether the reference answers with logits, not with probabilities.
    """

    images: NDArray[np.uint8]
    reference: NDArray[np.float32]
    table: RowFile
    recorded: dict[str, NDArray[np.float32]]
    logits: bool

    @property
    def classes(self) -> int:
        """How many classes there are."""
        return int(self.reference.shape[1])

    def batches(self) -> Iterator[tuple[NDArray[np.uint8], NDArray[np.float32]]]:
        """Yield images with the reference's outputs."""
        return zip(chunks(self.images), chunks(self.reference), strict=True)


def material(
    images: NDArray[np.uint8],
    labels: NDArray[np.int64],
    reference: NDArray[np.float32],
    recorded: dict[str, NDArray[np.float32]] | None = None,
) -> Material:
    """Return the material of (N, …) images, labels and reference outputs."""
    logits = not all(checks.are_probabilities(outputs) for outputs in chunks(reference))
    table = RowFile(REFERENCE_ROW)
    for outputs, answers in zip(chunks(reference), chunks(labels), strict=True):
        table.append(reference_rows(outputs, answers, logits=logits))
    return Material(images, reference, table, recorded or {}, logits)
