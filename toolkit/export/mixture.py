"""Which layers of a model stay in float where int8 costs accuracy: as few as reach a goal.

What int8 costs a layer is measured in the answers, as ``localize`` measures noise, when that layer alone is in int8.
The layers that cost most are left in float, one more at a time, until the file gets enough rows right. Then each that
is not needed for that goes back to int8, the largest first.
"""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from toolkit import runtimes, units
from toolkit.convention import Convention
from toolkit.data.base import Split
from toolkit.data.base.pixels import chunks
from toolkit.errors import ArtifactError
from toolkit.parity.localize import IMAGES, match, sqnr_db
from toolkit.parity.statistics import DEFAULT_MARGIN_PP
from toolkit.runtimes.base import Session
from toolkit.runtimes.keras.layers import Layers

# Rows that Keras answers for together.
ROWS = 50
# Writes the artifact with these layers in float, in place of the last one, and returns its file.
Convert = Callable[[tuple[str, ...]], Path]


@dataclass(frozen=True)
class Goal:
    """What a file must reach, on rows that are no test rows.

    which: what the rows are, in words. least_accuracy: the share of them that it must get right; None stands for that
    of the reference less the margin of ``verify``. most_bytes: of the file; None if that does not matter.
    """

    rows: Split
    which: str
    least_accuracy: float | None = None
    most_bytes: float | None = None

    @property
    def limits(self) -> dict[str, Any]:
        """All of it but the rows."""
        return {"which": self.which, "least_accuracy": self.least_accuracy, "most_bytes": self.most_bytes}


@dataclass(frozen=True)
class Mixture:
    """A file in which these layers are in float, as it was measured."""

    in_float: tuple[str, ...]
    accuracy: float
    size_bytes: int


def choose(
    convert: Convert, reference: Session, values: NDArray[np.float32], goal: Goal, convention: Convention
) -> tuple[str, ...]:
    """Return the layers that stay in float; ArtifactError if none has to, or if no choice reaches the goal.

    reference: the Keras original. values: what it takes, (N, …), to measure noise on. convention: what rows mean.
    """

    def measured(in_float: tuple[str, ...]) -> Mixture:
        path = convert(in_float)
        session = runtimes.open_session(path, threads=0)
        session.convention = convention
        return Mixture(in_float, _accuracy(session.predict(goal.rows.images), goal), path.stat().st_size)

    least = goal.least_accuracy
    if least is None:
        least = _of_reference(reference, goal, convention) - DEFAULT_MARGIN_PP / 100
    wanted = f"of {len(goal.rows):,} {goal.which} right, where {units.percent(least)} are wanted"
    tried = [whole := measured(())]
    if whole.accuracy >= least:
        raise ArtifactError(f"int8 gets {units.percent(whole.accuracy)} {wanted}: take int8, no layer need be in float")
    for name in rank_by_noise(convert, reference, values[:IMAGES]):
        tried.append(measured((*tried[-1].in_float, name)))
        if tried[-1].accuracy >= least:
            break
    else:
        nearest = max(tried, key=lambda one: one.accuracy)
        layers = units.count(len(nearest.in_float), "layer")
        raise ArtifactError(
            f"with {layers} in float it gets {units.percent(nearest.accuracy)} {wanted}; none gets more"
        )
    chosen = tried[-1]
    adds = {after.in_float[-1]: after.size_bytes - before.size_bytes for before, after in pairwise(tried)}
    for name in sorted(chosen.in_float[:-1], key=lambda one: -adds[one]):
        fewer = measured(tuple(one for one in chosen.in_float if one != name))
        chosen = fewer if fewer.accuracy >= least else chosen
    if goal.most_bytes is not None and chosen.size_bytes > goal.most_bytes:
        raise ArtifactError(
            f"with as much in float as is needed ({', '.join(chosen.in_float)}) it takes "
            f"{units.size(chosen.size_bytes)}, where {units.size(goal.most_bytes)} are allowed"
        )
    return chosen.in_float


def rank_by_noise(convert: Convert, reference: Session, values: NDArray[np.float32]) -> list[str]:
    """Return the layers of an artifact, those first that bring most noise into the answers if they alone are in int8.

    Layers that are fused into one operator count as one, by the name of the last. values: (N, …), as of ``choose``.
    """
    whole = convert(())
    tensors = runtimes.get(runtimes.for_file(whole)).trace(whole, values)
    names = tuple(match(Layers(reference.path).together(values), tensors))
    expected = reference.run(values)

    def ratio(name: str) -> float:
        path = convert(tuple(other for other in names if other != name))
        return sqnr_db(expected, runtimes.open_session(path, threads=0).run(values))

    ratios = {name: ratio(name) for name in names}
    return sorted(names, key=ratios.__getitem__)


def _accuracy(answers: NDArray[np.float32], goal: Goal) -> float:
    return float(np.mean(answers.argmax(axis=1) == goal.rows.labels))


def _of_reference(reference: Session, goal: Goal, convention: Convention) -> float:
    parts = (convention.values(rows) for rows in chunks(goal.rows.images, ROWS))
    return _accuracy(np.concatenate([convention.answers(reference.run(part)) for part in parts]), goal)
