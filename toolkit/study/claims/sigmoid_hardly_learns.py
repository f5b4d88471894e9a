"""The runs with sigmoid at the smallest learning rate of the grid are looked at, over all epochs they were given.

A configuration supports the claim if its best validation accuracy went less than half of the way from chance (one
class of all) to 100 %, which is below 55 % with ten classes; it opposes it if it went further. The figure is the
best validation accuracy. No run is compared with another here: the first table has the run with ReLU beside each, which
tells whether it is the sigmoid or the small rate, and the second one counts the same at every rate.
"""

from statistics import median

from toolkit import units, words
from toolkit.study.claims.base import Case, Table, Weighed, case, judge, learned, show
from toolkit.study.outcome import TrialOutcome
from toolkit.study.study import Study

LETTER = "b"
CLAIM = "With sigmoid and a small learning rate the network hardly learns."
CHARTS = ("rate", "accuracy")
# The share of the way from chance to 100 % below which a network hardly learned.
HARDLY = 0.5
# The axes that are left when activation and learning rate are given.
OTHERS = ("model", "optimizer", "loss")


def weigh(study: Study) -> Weighed:
    """Weigh the claim at the smallest learning rate."""
    judgement = judge(_cases(study, "sigmoid", min(study.grid.learning_rate)))
    return Weighed(
        figure=f"best validation accuracy with sigmoid at {min(study.grid.learning_rate):g}: "
        + show(judgement.figure, units.percent),
        judgement=judgement,
        tables=(_beside(study), _counts(study)),
    )


def runs_at_rate(study: Study, activation: str, rate: float) -> dict[tuple[object, ...], list[TrialOutcome]]:
    """Return the ended runs of an activation and a learning rate, grouped over seeds by their other values."""
    groups: dict[tuple[object, ...], list[TrialOutcome]] = {}
    for one in study.outcomes:
        recipe = one.trial.recipe
        if one.ended and recipe.activation == activation and recipe.learning_rate == rate:
            groups.setdefault(tuple(getattr(recipe, axis) for axis in OTHERS), []).append(one)
    return groups


def _cases(study: Study, activation: str, rate: float) -> list[Case]:
    return [
        case(
            dict(zip(OTHERS, key, strict=True)),
            [(learned(study, one) < HARDLY, one.best_validation_accuracy) for one in runs],
        )
        for key, runs in runs_at_rate(study, activation, rate).items()
    ]


def _beside(study: Study) -> Table:
    """Show what sigmoid came to at the smallest rate, with every other activation beside it."""
    rate = min(study.grid.learning_rate)
    own = runs_at_rate(study, "sigmoid", rate)
    others = {name: runs_at_rate(study, name, rate) for name in study.grid.activation if name != "sigmoid"}
    rows = [
        (
            words.configuration(dict(zip(OTHERS, key, strict=True))),
            *(
                ", ".join(units.percent(one.best_validation_accuracy) for one in by_rest.get(key, [])) or "–"
                for by_rest in (own, *others.values())
            ),
        )
        for key in own
    ]
    headings = (f"best validation accuracy, learning rate {rate:g}", "sigmoid", *map(words.value, others))
    return Table(headings, tuple(rows))


def _counts(study: Study) -> Table:
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
