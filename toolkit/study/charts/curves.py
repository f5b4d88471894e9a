"""Loss and accuracy against epochs: a panel for each learning rate, optimizer and loss, all on shared axes."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from toolkit import words
from toolkit.drawing import legend, marker_step, style
from toolkit.study.charts.base import CROSS, HIGHEST_PERCENT, Chart, accuracy_scale, alike, by_recipe, log_axis
from toolkit.study.outcome import TrialOutcome
from toolkit.study.study import Study
from toolkit.study.trials import TrialState

ORDER = 1
_CAPTION = (
    "{quantity} of the {model} against epochs. Columns: learning rates. Rows: loss and optimizer. Thick lines with "
    "markers are measured on validation images, thin ones on training images while they are learned from. "
    "{scale}{seeds}"
)
_STRETCHED = (
    "The axis is stretched towards 100 %: equal steps are equal factors of the error; what is above "
    f"{HIGHEST_PERCENT:g} % is drawn at its end. "
)
_BY_ROW = "Rows of one loss share their axis; the two losses are different quantities. "
_SEEDS = "Lines are means over seeds, bands reach from the lowest to the highest."


def draw(study: Study) -> Iterator[Chart]:
    """Yield a chart of the accuracy and one of the loss for each model that has a finished epoch."""
    for model in study.grid.model:
        runs = [one for one in alike(study.outcomes, model=model) if one.progress.history]
        if runs:
            for quantity in ("accuracy", "loss"):
                yield _chart(study, runs, model=model, quantity=quantity)


def _chart(study: Study, runs: Sequence[TrialOutcome], *, model: str, quantity: str) -> Chart:
    grid = study.grid
    label = "accuracy (%)" if quantity == "accuracy" else "loss"
    rates, shared = sorted(grid.learning_rate), quantity == "accuracy"
    figure, panels = by_recipe(grid, "learning_rate", rates, width=2.6, sharey=shared, xlabel="epoch", ylabel=label)
    for axes, values in panels:
        for position, activation in enumerate(grid.activation):
            _lines(axes, alike(runs, activation=activation, **values), position, quantity=quantity)
    if shared:
        ends = [end for axes, _ in panels if axes.lines for end in (axes.dataLim.y0, axes.dataLim.y1)]
        for axes, _ in panels:
            accuracy_scale(axes, ends)
    else:
        for loss in grid.loss:
            _scale_losses([axes for axes, values in panels if values["loss"] == loss])
    _legend(figure, grid.activation, diverged=any(one.state == TrialState.DIVERGED for one in runs))
    caption = _CAPTION.format(
        quantity=quantity.capitalize(),
        model=words.value(model),
        scale=_STRETCHED if quantity == "accuracy" else _BY_ROW,
        seeds=_SEEDS if grid.seeds > 1 else "",
    )
    return Chart(f"{quantity}-{model}", f"{label.capitalize()} of the {words.value(model)}", caption.strip(), figure)


def _lines(axes: Any, runs: Sequence[TrialOutcome], position: int, *, quantity: str) -> None:
    look, scale = style(position), 100.0 if quantity == "accuracy" else 1.0
    for field in (quantity, f"val_{quantity}"):
        curves = [[getattr(epoch, field) * scale for epoch in one.progress.history] for one in runs]
        curves = [curve for curve in curves if curve]
        if not curves:
            continue
        shortest = min(len(curve) for curve in curves)  # a run that diverged is shorter than the other seeds'
        values = np.array([curve[:shortest] for curve in curves])
        if scale > 1:
            values = np.minimum(values, HIGHEST_PERCENT)
        epochs = np.arange(1, shortest + 1)
        middle = values.mean(axis=0)
        if field == quantity:
            axes.plot(epochs, middle, lw=0.7, **look.plain)
            continue
        axes.plot(epochs, middle, lw=1.6, markevery=marker_step(shortest), **look.marked)
        if len(values) > 1:
            axes.fill_between(epochs, values.min(axis=0), values.max(axis=0), color=look.colour, alpha=0.2, lw=0)
        if any(one.state == TrialState.DIVERGED for one in runs):
            axes.plot(epochs[-1], middle[-1], **CROSS)


def _scale_losses(panels: Sequence[Any]) -> None:
    """Give the values of one loss the same limits."""
    filled = [axes.dataLim for axes in panels if axes.lines]
    for axes in panels:
        if filled:  # before the scale, which would fit the axis by itself
            axes.set_ylim(min(limits.y0 for limits in filled) * 0.8, max(limits.y1 for limits in filled) * 1.25)
        axes.set_yscale("log")
        log_axis(axes.yaxis)


def _legend(figure: Any, activations: Sequence[str], *, diverged: bool) -> None:
    from matplotlib.lines import Line2D

    handles = []
    for position, activation in enumerate(activations):
        look, name = style(position), words.value(activation)
        handles.append(Line2D([], [], lw=1.6, label=f"{name}, validation", **look.marked))
        handles.append(Line2D([], [], lw=0.7, label=f"{name}, training", **look.plain))
    if diverged:
        handles.append(Line2D([], [], label="diverged after this epoch", **CROSS))
    legend(figure, handles)
