"""The gradient norm of each layer through training, with each activation beside the other."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from toolkit import words
from toolkit.drawing import legend, marker_step, style
from toolkit.study.charts.base import Chart, alike, by_recipe, log_axis
from toolkit.study.outcome import TrialOutcome
from toolkit.study.study import Study

ORDER = 5


def draw(study: Study) -> Iterator[Chart]:
    """Yield a chart for each model, at the smallest learning rate, where gradients were measured."""
    rate = min(study.grid.learning_rate)
    for model in study.grid.model:
        same = alike(study.outcomes, model=model, learning_rate=rate)
        runs = [one for one in same if one.progress.history and one.progress.gradients]
        if runs:
            yield _chart(study, runs, model=model, rate=rate)


def _chart(study: Study, runs: Sequence[TrialOutcome], *, model: str, rate: float) -> Chart:
    from matplotlib.lines import Line2D

    grid, xlabel = study.grid, "epoch (0: before training)"
    figure, panels = by_recipe(
        grid, "activation", grid.activation, width=3.1, sharey="row", xlabel=xlabel, ylabel="gradient norm"
    )
    layers = [layer for layer in runs[0].progress.gradients[0] if layer != "epoch"]
    for axes, values in panels:
        axes.set_yscale("log")
        log_axis(axes.yaxis)
        for position, layer in enumerate(layers):
            _line(axes, alike(runs, **values), layer, position)
    title = f"Gradient norm of each layer of the {words.value(model)}, learning rate {rate:g}"
    places = {0: " (first)", len(layers) - 1: " (last)"}
    looks = [{"label": f"{layer}{places.get(n, '')}", **style(n).marked} for n, layer in enumerate(layers)]
    legend(figure, [Line2D([], [], lw=1.4, **look) for look in looks])
    caption = (
        f"Euclidean norm of the loss's gradient by the weights of each layer of the {words.value(model)}, on the same "
        f"500 training images before training and after each epoch, at learning rate {rate:g}"
        + (", geometric means over seeds" if grid.seeds > 1 else "")
        + ". Panels side by side share their axis. Where gradients vanish, the first layer's norm lies far below the "
        "last one's; all of them shrink as the loss does."
    )
    return Chart(f"gradients-{model}", title, caption, figure)


def _line(axes: Any, runs: Sequence[TrialOutcome], layer: str, position: int) -> None:
    curves = [[row[layer] for row in one.progress.gradients] for one in runs]
    if not curves:
        return
    shortest = min(len(curve) for curve in curves)
    values = np.array([curve[:shortest] for curve in curves])
    with np.errstate(divide="ignore", invalid="ignore"):
        middle = np.exp(np.log(values).mean(axis=0))
    apart = marker_step(shortest)
    # Markers of lines that cover each other stand at different epochs.
    axes.plot(np.arange(shortest), middle, lw=1.4, markevery=(position % apart, apart), **style(position).marked)
