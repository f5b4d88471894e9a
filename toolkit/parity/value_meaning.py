"""What values may mean to a model: how their columns are scaled, and in which order they stand.

A column is the last axis: of a table, or a channel of a window.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import combinations, permutations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from toolkit.convention import Convention
from toolkit.parity.column_order import Probes, probing, units
from toolkit.text import printable
from toolkit.units import first

# Training rows that scales are computed from.
_ROWS = 10_000
# Columns whose orders are all tried for each scale, 720 of them. Of more columns about so many are tried: 30 have
# 435 exchanges of two.
_FEW, _MOST_TRIED = 6, 2000
# The share of its distance that is left of a meaning with the right order, at most.
_MUCH_NEARER = 0.5
# Columns that a sentence names.
_NAMED = 12

# Answers values (N, …, columns) with probabilities (N, classes).
Answers = Callable[[NDArray[np.float32]], NDArray[np.float32]]
# How far the outputs for some rows are from those of the reference, if they mean that.
Distance = Callable[["ValueMeaning"], float]


@dataclass(frozen=True)
class Scale:
    """One way to scale values. offset, unit: (columns,), of (value - offset) / unit; each window's own if None.

    probes: what tells the order of columns that are scaled like this; None if nothing does.
    """

    text: str
    offset: NDArray[np.float64] | None = None
    unit: NDArray[np.float64] | None = None
    probes: Probes | None = None

    def apply(self, values: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return values, (N, …, columns), at this scale."""
        if self.offset is not None and self.unit is not None:
            return ((values - self.offset) / self.unit).astype(np.float32)
        steps = tuple(range(1, values.ndim - 1))
        away: NDArray[np.float64] = values - values.mean(axis=steps, keepdims=True, dtype=np.float64)
        scaled: NDArray[np.float64] = away / units(away.std(axis=steps, keepdims=True))
        return scaled.astype(np.float32)

    def probed(self, values: NDArray[np.float32], reference: Answers) -> "Scale":
        """Return this scale with probes for values (N, …, columns), whose order of columns the reference knows."""
        if self.offset is None or self.unit is None or values.shape[-1] <= _FEW:
            return self
        seen = probing(self.apply(values))
        rows = (seen * self.unit + self.offset).astype(np.float32)
        return replace(self, probes=Probes(seen, reference(rows))) if len(rows) else self


@dataclass(frozen=True)
class ValueMeaning:
    """One way to understand the input of a model of values.

    scales: those to try, that of values as they are first. scale: the one of them that the model takes. names: of
    columns, or (). order: which column the model takes in each place; None for theirs.
    """

    convention: Convention
    scales: tuple[Scale, ...]
    scale: Scale
    names: tuple[str, ...] = ()
    order: tuple[int, ...] | None = None

    def rows(self, values: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return values (N, …, columns) as the model is to see them."""
        seen = self.scale.apply(values)
        return seen if self.order is None else np.ascontiguousarray(seen[..., list(self.order)])

    def others(self, columns: int, distance: Distance, answers: Answers) -> Iterator[tuple[str, str, "ValueMeaning"]]:
        """Yield a name, a sentence and a meaning that differs from this one in the scale, the order, or in both.

        Values at a wrong scale tell nothing about the order, so that is looked for at each scale. answers: what the
        model says of rows that are as it sees them.
        """
        for scale in self.scales if self.scale is self.scales[0] else (self.scale,):
            scaled = replace(self, scale=scale)
            name, text = "order of columns", "it takes "
            if scale is not self.scale:
                yield "standardization", f"it takes values {scale.text}", scaled
                name, text = f"standardization and {name}", f"it takes values {scale.text}, and "
            ordered = scaled if self.order else _ordered(scaled, columns, distance, answers)
            if ordered is not scaled:
                yield name, f"{text}columns in the order {self._named(ordered.order or ())}", ordered

    def _named(self, order: Sequence[int]) -> str:
        return first([printable(self.names[column]) if self.names else column for column in order], _NAMED)


def scales(training: NDArray[Any], reference: Answers) -> tuple[Scale, ...]:
    """Return the ways in which people scale values, by training rows (N, …, columns): as they are first."""
    rows = training[np.linspace(0, len(training) - 1, min(len(training), _ROWS)).astype(int)]
    columns = rows.reshape(-1, rows.shape[-1]).astype(np.float64)
    low, width = columns.min(axis=0), units(np.ptp(columns, axis=0))
    by_rows = "by the training rows"
    shared = (
        Scale("as they are", np.zeros_like(low), np.ones_like(low)),
        Scale(f"of mean 0 and variance 1, each column {by_rows}", columns.mean(axis=0), units(columns.std(axis=0))),
        Scale(f"from 0 to 1, each column {by_rows}", low, width),
        Scale(f"from -1 to 1, each column {by_rows}", low + width / 2, width / 2),
    )
    own = (Scale("of mean 0 and variance 1, each window and column by itself"),) if training.ndim > 2 else ()
    return tuple(scale.probed(rows, reference) for scale in (*shared, *own))


def _ordered(meaning: ValueMeaning, columns: int, distance: Distance, answers: Answers) -> ValueMeaning:
    """Return a meaning with the columns in the order that is nearest to the reference.

    Of few columns every order is tried. Of more, two at a time are exchanged as long as that brings it nearer, from the
    best of these: the orders that files have, which are theirs, the reverse and that of the alphabet, and the one that
    the probes tell. The meaning itself is returned if no order is much nearer than theirs.
    """
    as_given = tuple(range(columns))
    by_name = tuple(sorted(as_given, key=lambda column: meaning.names[column])) if meaning.names else as_given
    probes = meaning.scale.probes
    told = as_given if probes is None else probes.order(answers(probes.rows))
    first = permutations(as_given) if columns <= _FEW else (as_given, as_given[::-1], by_name, told)
    distances = {order: distance(replace(meaning, order=order)) for order in first}
    best = min(distances, key=lambda order: distances[order])
    left = _MOST_TRIED if columns > _FEW else 0
    before = None
    while before != best and left > 0:
        before = best
        for one, other in combinations(as_given, 2):
            exchanged = {one: best[other], other: best[one]}
            order = tuple(exchanged.get(place, column) for place, column in enumerate(best))
            if order not in distances:
                distances[order] = distance(replace(meaning, order=order))
            best = min(best, order, key=lambda order: distances[order])
        left -= columns * (columns - 1) // 2
    return replace(meaning, order=best) if distances[best] < _MUCH_NEARER * distances[as_given] else meaning
