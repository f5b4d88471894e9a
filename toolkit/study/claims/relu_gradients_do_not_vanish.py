"""At the smallest learning rate of the grid each run with ReLU is compared with its match with sigmoid.

The share of the gradient that comes through is its norm at the first layer with weights over its norm at the last, on
the same 500 training images. It is averaged (geometric mean) over the epochs in which a gradient is needed most: from
the one before training to the last that begins with less than half of the way from chance to 100 % learned. A gradient
*vanished* if less than a tenth comes through. A configuration opposes the claim if ReLU hardly learned (its best
validation accuracy went less than half of that way), or if its gradient vanished. Otherwise it supports the claim if
the gradient of the sigmoid vanished. If that did not vanish either, there was no problem to avoid, and the
configuration says nothing. The figure is how many times more of the gradient comes through with ReLU. The two facts
are measured, not that one causes the other: if sigmoid learned although its gradient vanished, or ReLU did not although
its own came through, something else decided.
"""

from functools import partial
from itertools import takewhile
from math import exp, isfinite, log
from statistics import mean

from toolkit import units, words
from toolkit.study.claims.base import SeedReading, Table, Weighed, above_chance, cases, judge, learned, matched, show
from toolkit.study.claims.sigmoid_hardly_learns import HARDLY
from toolkit.study.outcome import TrialOutcome
from toolkit.study.study import Study

LETTER = "c"
CLAIM = "ReLU does not have that problem, because its gradients do not vanish."
CHARTS = ("gradients",)
# Of a gradient that shrinks layer by layer, less than this comes through if it vanished.
VANISHED = 0.1


def weigh(study: Study) -> Weighed:
    """Weigh the claim at the smallest learning rate."""
    rate = min(study.grid.learning_rate)
    every = cases(study, "activation", "relu", "sigmoid", partial(_compare, study))
    judgement = judge([one for one in every if one.configuration["learning_rate"] == rate])
    return Weighed(
        figure="gradient that comes through with ReLU, over that with sigmoid: "
        + show(judgement.figure, lambda times: f"{times:.3g}×"),
        judgement=judgement,
        tables=(_table(study),),
    )


def comes_through(study: Study, outcome: TrialOutcome) -> float | None:
    """Return the gradient norm of the first layer over that of the last while the run had hardly learned.

    None if it was not measured, or was 0 or no number in every such epoch.
    """
    before = takewhile(lambda epoch: above_chance(study, epoch.val_accuracy) < HARDLY, outcome.progress.history)
    ratios = []
    for row in outcome.progress.gradients[: 1 + len(list(before))]:
        norms = [norm for layer, norm in row.items() if layer != "epoch"]
        if norms and min(norms[0], norms[-1]) > 0 and isfinite(norms[0] / norms[-1]):
            ratios.append(log(norms[0] / norms[-1]))
    return exp(mean(ratios)) if ratios else None


def _compare(study: Study, relu: TrialOutcome, sigmoid: TrialOutcome) -> SeedReading:
    through, beside = comes_through(study, relu), comes_through(study, sigmoid)
    if through is None or beside is None:
        return None, None
    if learned(study, relu) < HARDLY or through < VANISHED:
        return False, through / beside
    return (True if beside < VANISHED else None), through / beside


def _table(study: Study) -> Table:
    rate = min(study.grid.learning_rate)
    rows = []
    for configuration, pairs in matched(study, "activation", "relu", "sigmoid"):
        if configuration["learning_rate"] != rate:
            continue
        cells = []
        for position in (0, 1):
            runs = [pair[position] for pair in pairs]
            cells.append(units.percent(mean(one.best_validation_accuracy for one in runs)))
            ratios = [ratio for one in runs if (ratio := comes_through(study, one)) is not None]
            cells.append(f"{exp(mean(map(log, ratios))):.3g}" if ratios else "–")
        held = {axis: value for axis, value in configuration.items() if axis != "learning_rate"}
        rows.append((words.configuration(held), *cells))
    headings = (
        f"learning rate {rate:g}",
        "ReLU: best validation accuracy",
        "comes through",
        "sigmoid: best validation accuracy",
        "comes through",
    )
    return Table(headings, tuple(rows))
