"""At the smallest learning rate of the grid each run with ReLU is held against its match with sigmoid.

How much of the gradient comes through is its norm at the first layer that has weights, over its norm at the last, in
the geometric mean over all epochs from 0 (before training), on the same 500 training images at the end of each epoch.
A configuration supports the claim where ReLU learned (its best validation accuracy went at least half of the way from
chance to 100 %) and more of the gradient comes through with ReLU than with sigmoid; it opposes it where either is not
so. The figure is how many times more comes through with ReLU. This measures that both parts are so, and not that one
is because of the other. A network with one hidden layer has little to vanish in: the table tells models apart.
"""

from math import exp, isfinite, log, log10
from statistics import mean

from toolkit import units
from toolkit.study import words
from toolkit.study.claims.base import Case, Table, Weighed, case, judge, learned, matched, show
from toolkit.study.claims.sigmoid_hardly_learns import HARDLY
from toolkit.study.outcome import Outcome
from toolkit.study.study import Study

LETTER = "c"
CLAIM = "ReLU does not have that problem, because its gradients do not vanish."
CHARTS = ("gradients",)


def weigh(study: Study) -> Weighed:
    """Weigh the claim at the smallest learning rate."""
    judgement = judge(_cases(study))
    return Weighed(
        figure="gradient that comes through with ReLU, over that with sigmoid: "
        + show(judgement.figure, lambda power: f"{10**power:.3g}×"),
        judgement=judgement,
        tables=(_table(study),),
    )


def comes_through(outcome: Outcome, *, epochs: slice = slice(None)) -> float | None:
    """Return the gradient norm of the first layer over that of the last, the geometric mean over epochs.

    None where it was not measured, or was 0 or no number in every epoch.
    """
    ratios = []
    for row in outcome.progress.gradients[epochs]:
        norms = [norm for layer, norm in row.items() if layer != "epoch"]
        if norms and min(norms[0], norms[-1]) > 0 and isfinite(norms[0] / norms[-1]):
            ratios.append(log(norms[0] / norms[-1]))
    return exp(mean(ratios)) if ratios else None


def _cases(study: Study) -> list[Case]:
    rate = min(study.grid.learning_rate)
    return [
        case(configuration, [_compare(study, relu, sigmoid) for relu, sigmoid in pairs])
        for configuration, pairs in matched(study, "activation", "relu", "sigmoid")
        if configuration["learning_rate"] == rate
    ]


def _compare(study: Study, relu: Outcome, sigmoid: Outcome) -> tuple[bool | None, float | None]:
    through = comes_through(relu), comes_through(sigmoid)
    if through[0] is None or through[1] is None:
        return None, None
    more = log10(through[0] / through[1])
    return learned(study, relu) >= HARDLY and more > 0, more


def _table(study: Study) -> Table:
    rows = []
    for configuration, pairs in matched(study, "activation", "relu", "sigmoid"):
        if configuration["learning_rate"] != min(study.grid.learning_rate):
            continue
        cells = []
        for position in (0, 1):
            runs = [pair[position] for pair in pairs]
            cells.append(units.percent(mean(one.best_validation_accuracy for one in runs)))
            for epochs in (slice(0, 1), slice(1, None)):
                ratios = [ratio for one in runs if (ratio := comes_through(one, epochs=epochs))]
                cells.append(f"{mean(ratios):.3g}" if ratios else "–")
        held = {axis: of for axis, of in configuration.items() if axis != "learning_rate"}
        rows.append((words.configuration(held), *cells))
    headings = (
        f"learning rate {min(study.grid.learning_rate):g}",
        "ReLU: accuracy",
        "comes through before training",
        "in training",
        "sigmoid: accuracy",
        "comes through before training",
        "in training",
    )
    return Table(headings, tuple(rows))
