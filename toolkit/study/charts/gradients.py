"""The gradient norm of each layer through training, with each activation beside the other."""

from collections.abc import Iterator, Sequence
from itertools import product
from typing import Any

import numpy as np

from toolkit import words
from toolkit.drawing import FINE, every, legend, new_figure, style, tidy
from toolkit.study.charts.base import Chart, log_axis, name_row
from toolkit.study.outcome import Outcome
from toolkit.study.study import Study

ORDER = 5


def draw(study: Study) -> Iterator[Chart]:
    """Yield a chart for each model, at the smallest learning rate, where gradients were measured."""
    rate = min(study.grid.learning_rate)
    for model in study.grid.model:
        runs = [
            one
            for one in study.outcomes
            if one.trial.recipe.model == model
            and one.trial.recipe.learning_rate == rate
            and one.progress.history
            and one.progress.gradients
        ]
        if runs:
            yield _chart(study, runs, model=model, rate=rate)


def _chart(study: Study, runs: Sequence[Outcome], *, model: str, rate: float) -> Chart:
    from matplotlib.ticker import MaxNLocator

    grid = study.grid
    rows, columns = list(product(grid.loss, grid.optimizer)), grid.activation
    figure = new_figure(width=2.2 + 3.0 * len(columns), height=1.4 + 1.7 * len(rows))
    panels = figure.subplots(len(rows), len(columns), sharex=True, sharey="row", squeeze=False)
    layers = [layer for layer in runs[0].progress.gradients[0] if layer != "epoch"]
    for (row, (loss, optimizer)), (column, activation) in product(enumerate(rows), enumerate(columns)):
        axes = panels[row][column]
        tidy(axes)
        axes.set_yscale("log")
        log_axis(axes.yaxis)
        axes.tick_params(axis="y", labelsize=FINE)
        same = [
            one
            for one in runs
            if (one.trial.recipe.loss, one.trial.recipe.optimizer, one.trial.recipe.activation)
            == (loss, optimizer, activation)
        ]
        for position, layer in enumerate(layers):
            _line(axes, same, layer, position)
        if row == 0:
            axes.set_title(words.value(activation), fontsize=10)
        if row == len(rows) - 1:
            axes.set_xlabel("epoch (0: before training)")
        if column == 0:
            axes.set_ylabel("gradient norm")
    for axes, (loss, optimizer) in zip(panels[:, -1], rows, strict=True):
        name_row(axes, f"{words.value(loss)}\n{words.value(optimizer)}")
    panels[0][0].xaxis.set_major_locator(MaxNLocator(integer=True))
    title = f"Gradient norm of each layer of the {words.value(model)}, learning rate {rate:g}"
    figure.suptitle(title, fontsize=11)
    _legend(figure, layers)
    caption = (
        f"Euclidean norm of the loss's gradient by the weights of each layer of the {words.value(model)}, on the same "
        f"500 training images before training and after each epoch, at learning rate {rate:g}"
        + (", geometric means over seeds" if grid.seeds > 1 else "")
        + ". Panels side by side share their axis. Where gradients vanish, the first layer's norm lies far below the "
        "last one's; all of them shrink as the loss does."
    )
    return Chart(f"gradients-{model}", title, caption, figure)


def _line(axes: Any, runs: Sequence[Outcome], layer: str, position: int) -> None:
    curves = [[row[layer] for row in one.progress.gradients] for one in runs]
    if not curves:
        return
    shortest = min(len(curve) for curve in curves)
    values = np.array([curve[:shortest] for curve in curves])
    with np.errstate(divide="ignore", invalid="ignore"):
        middle = np.exp(np.log(values).mean(axis=0))
    apart = every(shortest)
    # Markers of lines that cover each other stand at different epochs.
    axes.plot(np.arange(shortest), middle, lw=1.4, markevery=(position % apart, apart), **style(position).marked)


def _legend(figure: Any, layers: Sequence[str]) -> None:
    from matplotlib.lines import Line2D

    places = {0: " (first)", len(layers) - 1: " (last)"}
    legend(
        figure,
        [
            Line2D([], [], lw=1.4, label=f"{layer}{places.get(position, '')}", **style(position).marked)
            for position, layer in enumerate(layers)
        ],
    )
