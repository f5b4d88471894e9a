"""The order in which a model takes columns, found by rows in which a single column differs from the others.

If all columns have the same value, their order does not matter. Now change one column: the reference answers as the
other model does if the same column is changed at the place where that model takes it.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

# By how much a column differs, in the widths of columns; and of which columns: of several from the narrowest to the
# widest, since what is much for one is nothing for another.
_STEPS, _SHARES = (-3.0, -1.0, 1.0, 3.0), (0.0, 0.25, 0.5, 0.75, 1.0)
# Values of all rows together: 64 MB, with which 900 columns of a table are told apart.
_MOST_VALUES = 1 << 24
# What a probability of 0 is taken for: float32 has little below.
_LEAST = 1e-30


@dataclass(frozen=True)
class Probes:
    """Rows in which all columns but one have one value, and what a model answers to them that knows their order.

    rows: (columns * K, …, columns) float32, K for each column; expected: probabilities (columns * K, classes).
    """

    rows: NDArray[np.float32]
    expected: NDArray[np.float32]

    def order(self, answers: NDArray[np.float32]) -> tuple[int, ...]:
        """Return which column belongs to each place of a model, by its own probabilities for the rows.

        Columns of one effect are told apart by nothing, and stand in any order.
        """
        columns = self.rows.shape[-1]
        own, others = (np.log(np.maximum(one, _LEAST)).reshape(columns, -1) for one in (answers, self.expected))
        distances = np.stack([np.abs(others - one).mean(axis=1) for one in own])
        order = [-1] * columns
        for nearest in np.argsort(distances, axis=None, kind="stable"):
            place, column = divmod(int(nearest), columns)
            if order[place] < 0 and column not in order:
                order[place] = column
        return tuple(order)


def probing(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the rows of ``Probes`` for values (N, …, columns), at whose scale they are; none if they were too many."""
    columns = values.shape[-1]
    flat = values.reshape(-1, columns).astype(np.float64)
    means, widths = flat.mean(axis=0), units(flat.std(axis=0))
    steps = np.outer(_STEPS, np.quantile(widths, _SHARES)).ravel()
    if columns * len(steps) * values[0].size > _MOST_VALUES:
        return np.empty((0, *values.shape[1:]), np.float32)
    common = min((0.0, *means), key=lambda value: float(np.abs((value - means) / widths).max()))
    rows = np.full((columns, len(steps), *values.shape[1:]), common, np.float32)
    for column in range(columns):
        rows[column, ..., column] += steps.reshape(-1, *[1] * (values.ndim - 2))
    return rows.reshape(-1, *values.shape[1:])


def units(widths: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return widths to divide by: a column that is constant has none."""
    return np.where(widths > 0, widths, 1.0)
