"""Which candidates are left: the front, and the floors below which a training is given up. Both by validation alone."""

from collections.abc import Sequence
from math import sqrt
from statistics import median

from toolkit.search.budgets import Costs
from toolkit.search.candidates import SearchCandidate
from toolkit.search.experiment import One

# As many ended trainings that cost no more are needed before one is given up, as Optuna's MedianPruner has it.
FEWEST_BEFORE = 5
# The first share of the epochs in which none is given up: a high learning rate shows late what it is worth.
GRACE = 1 / 3


def front(ended: Sequence[One], *, validation_rows: float) -> tuple[One, ...]:
    """Return the candidates of which none that costs no more is as accurate, the smallest first.

    A larger one is left only if it is better by more than one standard error of its validation accuracy, a share of
    validation_rows rows (the one-standard-error rule: Breiman, Friedman, Olshen and Stone, "Classification and
    Regression Trees", 1984, section 3.4.3). So chance does not fill the front with networks that the test set cannot
    tell apart. Of an infinite number of rows it is 0.
    """
    left: list[One] = []
    for one in sorted(ended, key=lambda one: (one.costs.size_bytes, one.costs.work, -one.accuracy)):
        error = sqrt(one.accuracy * (1 - one.accuracy) / validation_rows)
        below = [other.accuracy for other in left if other.costs.at_most(one.costs)]
        if not below or one.accuracy > max(below) + error:
            left.append(one)
    return tuple(left)


def floors(costs: Costs, ended: Sequence[SearchCandidate], *, epochs: int) -> tuple[float, ...]:
    """Return the validation accuracy that a network of these costs must have reached after each epoch, 0 for none.

    The median of what those that cost no more had reached by then: the median stopping rule (Golovin et al., "Google
    Vizier", KDD 2017, section 3.2.2), with the costlier ones left out, which a small network need not keep up with.
    """
    before = [one.curve for one in ended if one.costs.at_most(costs) and len(one.curve) == epochs]
    if len(before) < FEWEST_BEFORE:
        return ()
    grace = round(epochs * GRACE)
    return tuple(
        0.0 if epoch <= grace else median(max(curve[:epoch]) for curve in before) for epoch in range(1, epochs + 1)
    )
