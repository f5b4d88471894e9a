"""Test accuracies over the whole grid."""

from collections.abc import Iterator, Sequence
from itertools import product
from math import log10
from statistics import mean
from typing import Any

from toolkit.study import words
from toolkit.study.charts.base import HIGHEST_PERCENT, Chart, new_figure
from toolkit.study.outcome import Outcome
from toolkit.study.study import Study
from toolkit.study.trials import DIVERGED

ORDER = 0
_LEAST_ERROR, _MOST_ERROR = 0.3, 90.0


def draw(study: Study) -> Iterator[Chart]:
    """Yield one chart: a panel for each model and loss, a cell for each optimizer, activation and learning rate."""
    grid = study.grid
    if not any(one.ended for one in study.outcomes):
        return
    rates = sorted(grid.learning_rate)
    rows = list(product(grid.optimizer, grid.activation))
    figure = new_figure(
        width=1.9 + (0.4 + 0.95 * len(rates)) * len(grid.loss), height=1.1 + (0.55 + 0.46 * len(rows)) * len(grid.model)
    )
    panels = figure.subplots(len(grid.model), len(grid.loss), sharex=True, sharey=True, squeeze=False)
    for (row, model), (column, loss) in product(enumerate(grid.model), enumerate(grid.loss)):
        axes = panels[row][column]
        axes.set_title(f"{words.value(model)}, {words.value(loss)}", fontsize=10)
        axes.set(xlim=(-0.5, len(rates) - 0.5), ylim=(len(rows) - 0.5, -0.5))
        axes.set_xticks(range(len(rates)), [f"{rate:g}" for rate in rates])
        axes.set_yticks(range(len(rows)), [f"{words.value(o)}, {words.value(a)}" for o, a in rows], fontsize=9)
        axes.tick_params(length=0)
        axes.spines[:].set_visible(False)
        for (height, (optimizer, activation)), (left, rate) in product(enumerate(rows), enumerate(rates)):
            values = (model, optimizer, activation, rate, loss)
            same = [one for one in study.outcomes if tuple(one.configuration.values()) == values]
            _cell(axes, left, height, same)
    for axes in panels[-1]:
        axes.set_xlabel("learning rate")
    title = "Test accuracy (%) over the grid"
    figure.suptitle(title)
    caption = (
        "Accuracy of the best weights on the test images in percent"
        + (", the mean over seeds" if grid.seeds > 1 else "")
        + ". The darker, the smaller the error, on a logarithmic scale. Hatched: diverged; empty: not finished."
    )
    yield Chart("heat", title, caption, figure)


def _cell(axes: Any, left: int, height: int, same: Sequence[Outcome]) -> None:
    from matplotlib.patches import Rectangle

    accuracies = [100 * one.test_accuracy for one in same if one.test_accuracy is not None]
    diverged = [one for one in same if one.state == DIVERGED]
    shade, text, hatch = "white", "", None
    if accuracies:
        error = 100 - min(mean(accuracies), HIGHEST_PERCENT)
        place = log10(_MOST_ERROR / max(error, _LEAST_ERROR)) / log10(_MOST_ERROR / _LEAST_ERROR)
        shade = f"{1 - 0.85 * max(0.0, min(1.0, place)):.3f}"
        text = f"{mean(accuracies):.2f}"
    if diverged:
        hatch = "////"
        text += f"{chr(10) if text else ''}{len(diverged)} diverged" if len(same) > 1 else "diverged"
    patch = Rectangle(
        (left - 0.48, height - 0.46), 0.96, 0.92, facecolor=shade, edgecolor="#777777", hatch=hatch, lw=0.5
    )
    axes.add_patch(patch)
    dark = accuracies and float(shade) < 0.5
    axes.text(
        left, height, text, ha="center", va="center", fontsize=9, color="white" if dark else "black",
        bbox={"facecolor": "white", "edgecolor": "none", "pad": 1} if diverged else None,
    )  # fmt: skip
