"""How the training images are divided into those that weights are learned from and those that validate them."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from toolkit import overlap
from toolkit.data.base import Dataset, RowSubset, Split, grouped_split, stratified_split
from toolkit.errors import UsageError
from toolkit.overlap import Overlap

# How the validation rows were chosen, as runs record it.
NONE, LAST, DRAWN, GIVEN = "none", "last rows", "drawn by class", "given by the data"
TOGETHER = "drawn by class, what belongs together in one part"

Rows = NDArray[np.int64] | slice


@dataclass(frozen=True)
class Parts:
    """The rows of ``dataset.train`` to learn from, and the rows of ``held_out`` to validate with.

    how: NONE, LAST, DRAWN, TOGETHER or GIVEN.
    """

    dataset: Dataset
    training: Rows
    validation: Rows
    how: str

    @property
    def held_out(self) -> Split:
        """The split that the validation rows belong to."""
        return self.dataset.validation if self.dataset.validation is not None else self.dataset.train

    @property
    def learned(self) -> RowSubset:
        """The images to learn from, with their labels."""
        return RowSubset(self.dataset.train, self.training_rows)

    @property
    def training_rows(self) -> NDArray[np.int64]:
        """The numbers of the rows to learn from."""
        return np.arange(len(self.dataset.train))[self.training]

    @property
    def validation_rows(self) -> NDArray[np.int64]:
        """The numbers of the rows to validate with."""
        return np.arange(len(self.held_out))[self.validation]

    @property
    def notes(self) -> tuple[str, ...]:
        """A sentence for the user, if the validation rows are not the last ones."""
        if self.how != DRAWN:
            return ()
        dataset, labels = self.dataset, self.dataset.train.labels
        lacking = np.setdiff1d(labels[self.training], labels[self.validation])
        without = "".join(f"; class {dataset.class_names[label]} has no image to validate with" for label in lacking)
        return (
            f"{dataset.origin}: the last training images do not hold every class; "
            f"{len(self.validation_rows):,} of {len(labels):,} were drawn by class to validate with{without}",
        )

    def shared_images(self, *, allowed: bool) -> tuple[Overlap, ...]:
        """Return which of the training, validation and test images are shared; DataError unless none is, or allowed."""
        training = self.dataset.train.row_digests
        validation = self.held_out.row_digests
        shared = overlap.find(
            {
                "training": training[self.training],
                "validation": validation[self.validation],
                "test": self.dataset.test.row_digests,
            }
        )
        what, noun = f"'{self.dataset.name}' ({self.dataset.origin})", self.dataset.noun
        overlap.refuse(shared, what=what, noun=noun, allowed=allowed)
        return shared


def divide(dataset: Dataset, *, share: float, seed: int) -> Parts:
    """Return the parts that a recipe makes of the training images: the same ones for the same data, share and seed.

    The validation images are those that the data bring; else the last ``share`` of the training images, as in Keras,
    where each class is among them and among the rest; else that share of every class, drawn by the seed. Of rows that
    are no images it is always drawn: those of one recording, and those that are equal, fall in the same part.
    UsageError if none is left.
    """
    rows = len(dataset.train)
    if dataset.validation is not None:
        return Parts(dataset, slice(0, rows), slice(0, len(dataset.validation)), GIVEN)
    cut = rows - int(rows * share)
    if share == 0:
        return Parts(dataset, slice(0, rows), slice(0, 0), NONE)
    if cut == rows:
        raise UsageError(f"{rows} training rows leave none to validate with {share:g} of them")
    labels = dataset.train.labels
    if not dataset.is_pixels:
        groups = dataset.train.row_digests if dataset.train.groups is None else dataset.train.groups
        training, validation = grouped_split(labels, groups, test_share=share, seed=seed)
        return Parts(dataset, np.sort(training), np.sort(validation), TOGETHER)
    if all(len(np.unique(part)) == dataset.classes for part in (labels[:cut], labels[cut:])):
        return Parts(dataset, slice(0, cut), slice(cut, rows), LAST)
    training, validation = stratified_split(labels, test_share=share, seed=seed)
    return Parts(dataset, np.sort(training), np.sort(validation), DRAWN)
