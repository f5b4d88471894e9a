"""The rows of a comparison, and what the reference answers to them."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from toolkit.convention import Convention, Output, sum_to_one
from toolkit.data.base.pixels import chunks
from toolkit.parity.evidence import REFERENCE_ROW, RowFile, reference_rows


@dataclass(frozen=True)
class Material:
    """The rows of a comparison and what the reference answers to them; arrays may be mapped files.

    images: (N, H, W, C) uint8. reference: (N, classes) float32. table: what is kept of the reference's answers.
    recorded: the outputs of each artifact on the machine that exported it, by its path, if it is a golden.
    convention: of the reference and the artifacts; what it answers with is known.
    """

    images: NDArray[np.uint8]
    reference: NDArray[np.float32]
    table: RowFile
    recorded: dict[str, NDArray[np.float32]]
    convention: Convention

    @property
    def logits(self) -> bool:
        """Whether the reference answers with logits."""
        return self.convention.output == Output.LOGITS

    @property
    def sums_to_one(self) -> bool:
        """Whether the outputs of an image are the probabilities of exclusive classes."""
        return self.convention.output in (Output.PROBABILITIES, Output.SIGMOID)

    @property
    def right(self) -> int:
        """How many rows the reference classifies right."""
        return sum(int((rows["prediction"] == rows["label"]).sum()) for rows in self.table.chunks())

    @property
    def classes(self) -> int:
        """How many classes there are."""
        return int(self.reference.shape[1])

    def batches(self) -> Iterator[tuple[NDArray[np.uint8], NDArray[np.float32]]]:
        """Yield rows with the reference's outputs."""
        return zip(chunks(self.images), chunks(self.reference), strict=True)


def material(
    images: NDArray[np.uint8],
    labels: NDArray[np.int64],
    reference: NDArray[np.float32],
    recorded: dict[str, NDArray[np.float32]] | None = None,
    *,
    convention: Convention,
) -> Material:
    """Return the material of (N, …) rows, labels and reference outputs.

    Outputs that nobody has said more of are logits unless they sum to 1.
    """
    if convention.output is None:
        sum_up = all(sum_to_one(outputs) for outputs in chunks(reference))
        convention = replace(convention, output=Output.PROBABILITIES if sum_up else Output.LOGITS)
    logits = convention.output == Output.LOGITS
    table = RowFile(REFERENCE_ROW)
    for outputs, answers in zip(chunks(reference), chunks(labels), strict=True):
        table.append(reference_rows(outputs, answers, logits=logits))
    return Material(images, reference, table, recorded or {}, convention)
