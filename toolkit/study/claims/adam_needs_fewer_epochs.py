"""Runs that differ in the optimizer alone are compared by the first epoch with a validation accuracy of 95 %.

A configuration supports the claim where SGD gets there later than Adam, or only Adam gets there; it opposes it the
other way round; it says nothing if both get there in the same epoch, or neither does. The figure is the number of
epochs that SGD needs more. An optimizer that does not get there counts as one epoch more than it was given: such a
figure is a bound, of SGD's lag from below and of its lead from above, and is why the median is told and no mean. Since
one learning rate need not suit both, the second table compares each at the rate that is fastest for it.
"""

from collections.abc import Sequence
from functools import partial
from itertools import product

from toolkit.study.claims.base import TARGETS, Case, SeedReading, Table, Weighed, case, cases, judge, show
from toolkit.study.grid import AXES
from toolkit.study.outcome import TrialOutcome
from toolkit.study.study import Study

LETTER = "a"
CLAIM = "SGD with a constant learning rate needs more epochs than Adam to reach the same accuracy."
CHARTS = ("epochs", "accuracy")


def weigh(study: Study) -> Weighed:
    """Weigh the claim at 95 %, and tell what comes of it at the other targets."""
    compares = {target: partial(_compare, target=target) for target in TARGETS}
    same_rate = {target: cases(study, "optimizer", "adam", "sgd", read) for target, read in compares.items()}
    judgement = judge(same_rate[TARGETS[0]])
    return Weighed(
        figure="epochs that SGD needs more: " + show(judgement.figure, lambda epochs: f"{epochs:+g}"),
        judgement=judgement,
        tables=(
            _table(study, "same learning rate", same_rate),
            _table(study, "each at its fastest rate", {target: _own_rate(study, target) for target in TARGETS}),
        ),
    )


def _own_rate(study: Study, target: float) -> list[Case]:
    """Return the cases with each optimizer at the learning rate that reaches the target first."""
    others = [axis for axis in AXES if axis not in ("optimizer", "learning_rate")]
    compared = []
    for values in product(*(getattr(study.grid, axis) for axis in others)):
        configuration = dict(zip(others, values, strict=True))
        readings = []
        for seed in range(study.grid.seeds):
            runs = [
                one
                for one in study.outcomes
                if one.ended and one.trial.recipe.seed == seed and configuration.items() <= one.configuration.items()
            ]
            adam, sgd = (_fastest(runs, optimizer, target) for optimizer in ("adam", "sgd"))
            if adam and sgd:
                readings.append(_compare(adam, sgd, target))
        if readings:
            compared.append(case(configuration, readings))
    return compared


def _fastest(runs: Sequence[TrialOutcome], optimizer: str, target: float) -> TrialOutcome | None:
    own = [one for one in runs if one.trial.recipe.optimizer == optimizer]
    return min(own, key=lambda one: one.epochs_until(target) or one.trial.recipe.epochs + 1, default=None)


def _compare(adam: TrialOutcome, sgd: TrialOutcome, target: float) -> SeedReading:
    fast, slow = adam.epochs_until(target), sgd.epochs_until(target)
    if fast is None and slow is None:
        return None, None
    more = (slow or sgd.trial.recipe.epochs + 1) - (fast or adam.trial.recipe.epochs + 1)
    return (more > 0 if more else None), float(more)


def _table(study: Study, title: str, by_target: dict[float, list[Case]]) -> Table:
    rows = []
    for target, of_target in by_target.items():
        supports = [one.supports for one in of_target]
        rows.append(
            (
                f"{target * 100:.0f} %",
                str(supports.count(True)),
                str(supports.count(False)),
                str(supports.count(None)),
                show(judge(of_target).figure, lambda epochs: f"{epochs:+g}"),
            )
        )
    headings = (
        f"validation accuracy ({title})",
        "SGD later, or never",
        "Adam later, or never",
        "same epoch, or neither",
        "epochs that SGD needs more",
    )
    return Table(headings, tuple(rows))
