"""How much the best validation accuracy depends on the learning rate."""

from collections.abc import Iterator, Sequence
from itertools import product
from statistics import mean
from typing import Any

from toolkit import words
from toolkit.drawing import legend, style, tidy
from toolkit.study.charts.base import CROSS, HIGHEST_PERCENT, Chart, accuracy_scale, alike, by_model_and_loss
from toolkit.study.grid import Grid
from toolkit.study.outcome import TrialOutcome
from toolkit.study.study import Study
from toolkit.study.trials import TrialState

ORDER = 2
# Lines stand this far beside and above each other, in points: less than a marker, so that equal ones can be told apart.
APART_POINTS = (5.0, 2.0)


def draw(study: Study) -> Iterator[Chart]:
    """Yield one chart: a panel for each model and loss, a line for each optimizer and activation."""
    from matplotlib.lines import Line2D

    grid, rates = study.grid, sorted(study.grid.learning_rate)
    runs = [one for one in study.outcomes if one.ended]
    if len(rates) < 2 or not runs:
        return
    figure, panels = by_model_and_loss(grid, width=2 + 3.4 * len(grid.loss), height=1.4 + 2.6 * len(grid.model))
    margin = (rates[-1] / rates[0]) ** 0.08
    for axes, values in panels:
        axes.set_xscale("log")
        axes.set_xticks(rates, [f"{rate:g}" for rate in rates])
        axes.set_xticks([], minor=True)
        axes.set_xlim(rates[0] / margin, rates[-1] * margin)
        axes.set_ylabel("best validation accuracy (%)")
        axes.label_outer()
        _panel(axes, grid, alike(runs, **values))
    for axes, _ in panels:
        accuracy_scale(axes, [_percent(one) for one in runs])
    handles = panels[0][0].get_legend_handles_labels()[0]
    diverged = any(one.state == TrialState.DIVERGED for one in runs)
    legend(figure, [*handles, Line2D([], [], label="diverged", **CROSS)] if diverged else handles)
    caption = (
        "Best validation accuracy over all epochs against the learning rate: a marker for each seed, lines through "
        "their means, drawn a little beside and above each other, so that equal ones can be told apart. The axis is "
        "stretched towards 100 %: equal steps are equal factors of the error."
        + (" A cross marks runs that diverged." if diverged else "")
    )
    yield Chart("rate", "Sensitivity to the learning rate", caption, figure)


def _panel(axes: Any, grid: Grid, runs: Sequence[TrialOutcome]) -> None:
    from matplotlib.transforms import ScaledTranslation

    tidy(axes)
    lines = list(product(grid.optimizer, grid.activation))
    for position, (optimizer, activation) in enumerate(lines):
        look, name = style(position), f"{words.value(optimizer)}, {words.value(activation)}"
        right, up = (points / 72 * (position - (len(lines) - 1) / 2) for points in APART_POINTS)
        place = axes.transData + ScaledTranslation(right, up, axes.figure.dpi_scale_trans)
        same = alike(runs, optimizer=optimizer, activation=activation)
        rates = [rate for rate in sorted(grid.learning_rate) if alike(same, learning_rate=rate)]
        means = [mean(_percent(one) for one in alike(same, learning_rate=rate)) for rate in rates]
        axes.plot(rates, means, lw=1.3, transform=place, **look.plain)
        for kind, own in ((look.points, same), (CROSS, [one for one in same if one.state == TrialState.DIVERGED])):
            at = [one.trial.recipe.learning_rate for one in own]
            axes.plot(at, [_percent(one) for one in own], transform=place, **kind)
        axes.plot([], [], label=name, **look.marked)


def _percent(one: TrialOutcome) -> float:
    return min(HIGHEST_PERCENT, 100 * one.best_validation_accuracy)
