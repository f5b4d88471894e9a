"""What a model's input and output mean, tried on training images, which the model should get right."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from toolkit import units
from toolkit.convention import OPTION, STANDARD, Convention, output_of
from toolkit.data.base import Split
from toolkit.errors import UsageError
from toolkit.parity.statistics import mcnemar_p, near_chance
from toolkit.runtimes.base import Predictor

# Training images that every range is tried on.
IMAGES = 300
# A range is another than the model's where it is so improbable that it is as good as the best. Of the images that only
# one of the two gets right it takes 15 to 0, far from what chance does to an export in a lifetime.
LEVEL = 1e-4


def check(
    session: Predictor, chosen: Convention, training: Split, *, path: Path, warn: Callable[[str], None]
) -> Convention:
    """Return the chosen convention, and with it what the outputs of the model are.

    session: of the Keras model at ``path``. Raises UsageError where another of the standard ranges is clearly better
    (exact McNemar test of the same images); warns where the model is near chance with all of them.
    """
    count = min(IMAGES, len(training))
    rows = training.rows(np.sort(np.random.default_rng(0).choice(len(training), size=count, replace=False)))
    counts = np.bincount(rows.labels).tolist()
    session.convention = chosen
    chosen = replace(chosen, output=output_of(session.predict(rows.images)))
    right = _right(session, chosen, rows)
    if not near_chance(int(right.sum()), counts) and mcnemar_p(0, int((~right).sum())) >= LEVEL:
        return chosen  # no other can be clearly better
    others = [replace(chosen, low=one.low, high=one.high) for one in STANDARD]
    found = {one: _right(session, one, rows) for one in others if str(one) != str(chosen)}
    best = max(found, key=lambda one: int(found[one].sum()))
    lost, gained = int((right & ~found[best]).sum()), int((found[best] & ~right).sum())
    if near_chance(max(int(right.sum()), int(found[best].sum())), counts):
        figures = f"{int(right.sum())} of {count} training images right as {chosen}, {int(found[best].sum())} as {best}"
        warn(f"{path}: near chance in every input range ({figures}): is this the data that the model was made for?")
    elif gained > lost and mcnemar_p(lost, gained) < LEVEL:
        shares = [units.percent(float(one.mean())) for one in (found[best], right)]
        raise UsageError(
            f"{path}: gets {shares[0]} of {count} training images right with {best}, {shares[1]} with {chosen}: "
            f"give {OPTION} {best}"
        )
    return chosen


def _right(session: Predictor, convention: Convention, rows: Split) -> NDArray[np.bool_]:
    """Return which images the model classifies right where its input and output mean that."""
    session.convention = convention
    outputs = session.predict(rows.images)
    return np.asarray(np.isfinite(outputs).all(axis=1) & (outputs.argmax(axis=1) == rows.labels))
