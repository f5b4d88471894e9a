"""The runs with sigmoid at the smallest learning rate of the grid are looked at, over all epochs they were given.

A configuration supports the claim where its best validation accuracy went less than half of the way from chance (one
class of all) to 100 %, which is below 55 % with ten classes; it opposes it where it went further. The figure is the
best validation accuracy. The table has the same of the activations beside it.
"""

from statistics import median

from toolkit import units
from toolkit.study import words
from toolkit.study.claims.base import Case, Table, Weighed, case, judge, learned, show
from toolkit.study.outcome import Outcome
from toolkit.study.study import Study

LETTER = "b"
CLAIM = "With sigmoid and a small learning rate the network hardly learns."
CHARTS = ("rate", "accuracy")
# The share of the way from chance to 100 % below which a network hardly learned.
HARDLY = 0.5


def weigh(study: Study) -> Weighed:
    """Weigh the claim at the smallest learning rate."""
    judgement = judge(_cases(study, "sigmoid", min(study.grid.learning_rate)))
    return Weighed(
        figure=f"best validation accuracy with sigmoid at {min(study.grid.learning_rate):g}: "
        + show(judgement.figure, lambda accuracy: units.percent(min(1.0, max(0.0, accuracy)))),
        judgement=judgement,
        tables=(_table(study),),
    )


def of_rate(study: Study, activation: str, rate: float) -> dict[tuple[object, ...], list[Outcome]]:
    """Return the ended runs of an activation and a learning rate, grouped over seeds by their other values."""
    groups: dict[tuple[object, ...], list[Outcome]] = {}
    for one in study.outcomes:
        recipe = one.trial.recipe
        if one.ended and recipe.activation == activation and recipe.learning_rate == rate:
            groups.setdefault((recipe.model, recipe.optimizer, recipe.loss), []).append(one)
    return groups


def _cases(study: Study, activation: str, rate: float) -> list[Case]:
    return [
        case(
            dict(zip(("model", "optimizer", "loss"), key, strict=True)),
            [(learned(study, one) < HARDLY, one.best_validation_accuracy) for one in runs],
        )
        for key, runs in of_rate(study, activation, rate).items()
    ]


def _table(study: Study) -> Table:
    rows = []
    for rate in sorted(study.grid.learning_rate):
        for activation in study.grid.activation:
            cases = _cases(study, activation, rate)
            figures = [figure for one in cases for figure in one.figures]
            hardly = sum(one.supports is True for one in cases)
            if figures:
                rows.append(
                    (
                        f"{rate:g}",
                        words.value(activation),
                        f"{hardly} of {len(cases)}",
                        units.percent(min(figures)),
                        units.percent(median(figures)),
                        units.percent(max(figures)),
                    )
                )
    headings = ("learning rate", "activation", "hardly learned", "worst validation accuracy", "median", "best")
    return Table(headings, tuple(rows))
