"""What tells images of none of the classes: learned from training images, its threshold set by validation images."""

from pathlib import Path

import numpy as np

from toolkit import novelty
from toolkit.convention import Convention, Layout
from toolkit.data.base import RowSubset, Split, stratified_split
from toolkit.data.base.parts import Parts
from toolkit.entries import NoveltyFile
from toolkit.files import FileName, sha256
from toolkit.novelty import FALSE_ALARMS, NOVELTY
from toolkit.runtimes.base import Predictor

# Images that the threshold is set by, at most: the share of other images above it is then 1.0 ± 0.3 %.
MOST_ROWS = 5000
# Bytes of the training images that are learned from: all of MNIST's, a part of many photos.
MOST_BYTES = 1 << 26
# The share of the training images that sets it where none validate.
HELD_OUT = 0.2


def write(reference: Predictor, convention: Convention, parts: Parts, folder: Path) -> NoveltyFile | None:
    """Write what the images of the classes look like into ``folder``, and return the entry of the manifest.

    reference: the Keras original. None for rows of values, for images that are too narrow to have edges, and if too few
    are left to set a threshold by.
    """
    learned, held_out, part = _divided(parts)
    narrow = min(learned.images.shape[1:3]) < novelty.LEAST_SIDE
    if convention.layout == Layout.VALUES or narrow or len(held_out) < novelty.LEAST_ROWS:
        return None
    fitted = novelty.fit(learned.images, learned.labels, classes=parts.dataset.classes)
    reference.convention = convention
    probabilities = convention.probabilities(convention.answers(reference.predict(held_out.images)))
    threshold = novelty.threshold(fitted.scores(held_out.images, probabilities))
    path = folder / NOVELTY
    fitted.write(path)
    return NoveltyFile(FileName(path.name), sha256(path), threshold, FALSE_ALARMS, len(held_out), part)


def _divided(parts: Parts) -> tuple[Split, Split, str]:
    """Return the images to learn from, those that set the threshold, and what the latter are."""
    rows, part, learned = parts.validation_rows, "validation", _at_most(parts.learned)
    held_out = parts.held_out
    if not len(rows):
        part, held_out = "training", learned
        training, rows = stratified_split(learned.labels, test_share=HELD_OUT, seed=0)
        learned = learned.rows(training)
    if len(rows) > MOST_ROWS:
        rows = np.sort(np.random.default_rng(0).choice(rows, size=MOST_ROWS, replace=False))
    return learned, held_out.rows(rows), part


def _at_most(rows: RowSubset) -> Split:
    """Return the rows, or as many of them, drawn at random, as MOST_BYTES hold."""
    most = max(1, MOST_BYTES // rows.split.images[:1].nbytes)
    if len(rows) <= most:
        return rows.rows(slice(None))
    return rows.rows(np.sort(np.random.default_rng(0).choice(len(rows), size=most, replace=False)))
