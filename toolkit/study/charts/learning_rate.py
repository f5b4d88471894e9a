"""How much the best validation accuracy depends on the learning rate."""

from collections.abc import Iterator, Mapping
from itertools import product
from statistics import mean
from typing import Any

from toolkit import words
from toolkit.drawing import legend, new_figure, style, tidy
from toolkit.study.charts.base import CROSS, HIGHEST_PERCENT, Chart, accuracy_scale
from toolkit.study.outcome import Outcome
from toolkit.study.study import Study
from toolkit.study.trials import DIVERGED

ORDER = 2
# Lines stand this far beside and above each other, in points: less than a marker, so that equal ones can be told apart.
APART_POINTS = (5.0, 2.0)


def draw(study: Study) -> Iterator[Chart]:
    """Yield one chart: a panel for each model and loss, a line for each optimizer and activation."""
    from matplotlib.lines import Line2D

    grid = study.grid
    rates = sorted(grid.learning_rate)
    runs = {(one.trial.recipe.seed, *one.configuration.values()): one for one in study.outcomes if one.ended}
    if len(rates) < 2 or not runs:
        return
    figure = new_figure(width=2 + 3.4 * len(grid.loss), height=1.4 + 2.6 * len(grid.model))
    margin = (rates[-1] / rates[0]) ** 0.08
    panels = figure.subplots(len(grid.model), len(grid.loss), sharex=True, sharey=True, squeeze=False)
    for (row, model), (column, loss) in product(enumerate(grid.model), enumerate(grid.loss)):
        axes = panels[row][column]
        axes.set_xscale("log")
        axes.set_xticks(rates, [f"{rate:g}" for rate in rates])
        axes.set_xticks([], minor=True)
        axes.set_xlim(rates[0] / margin, rates[-1] * margin)
        axes.set_title(f"{words.value(model)}, {words.value(loss)}", fontsize=10)
        _panel(axes, study, {key: one for key, one in runs.items() if (key[1], key[5]) == (model, loss)})
    for axes in panels.flat:
        accuracy_scale(axes, [_percent(one) for one in runs.values()])
    for axes in panels[-1]:
        axes.set_xlabel("learning rate")
    for axes in panels[:, 0]:
        axes.set_ylabel("best validation accuracy (%)")
    title = "Sensitivity to the learning rate"
    figure.suptitle(title)
    shown = panels[0][0].get_legend_handles_labels()[0]
    diverged = any(one.state == DIVERGED for one in runs.values())
    legend(figure, [*shown, Line2D([], [], label="diverged", **CROSS)] if diverged else shown)
    caption = (
        "Best validation accuracy over all epochs against the learning rate: a marker for each seed, lines through "
        "their means, drawn a little beside and above each other, so that equal ones can be told apart. The axis is "
        "stretched towards 100 %: equal steps are equal factors of the error."
        + (" A cross marks runs that diverged." if diverged else "")
    )
    yield Chart("rate", title, caption, figure)


def _panel(axes: Any, study: Study, runs: Mapping[tuple[Any, ...], Outcome]) -> None:
    """Draw a line for each optimizer and activation; runs: by seed and the values on the axes."""
    from matplotlib.transforms import ScaledTranslation

    tidy(axes)
    lines = list(product(study.grid.optimizer, study.grid.activation))
    for position, (optimizer, activation) in enumerate(lines):
        look, name = style(position), f"{words.value(optimizer)}, {words.value(activation)}"
        right, up = (points / 72 * (position - (len(lines) - 1) / 2) for points in APART_POINTS)
        place = axes.transData + ScaledTranslation(right, up, axes.figure.dpi_scale_trans)
        own = {key: one for key, one in runs.items() if key[2:4] == (optimizer, activation)}
        values: dict[float, list[float]] = {}
        for key, one in sorted(own.items(), key=lambda item: item[0][4]):
            values.setdefault(key[4], []).append(_percent(one))
        axes.plot(list(values), [mean(of) for of in values.values()], lw=1.3, transform=place, **look.plain)
        points = [(key[4], _percent(one)) for key, one in own.items()]
        axes.plot([x for x, _ in points], [y for _, y in points], transform=place, **look.points)
        axes.plot([], [], label=name, **look.marked)
        for key, one in own.items():
            if one.state == DIVERGED:
                axes.plot(key[4], _percent(one), transform=place, **CROSS)


def _percent(one: Outcome) -> float:
    return min(HIGHEST_PERCENT, 100 * one.best_validation_accuracy)
