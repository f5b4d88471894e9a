"""Loss and accuracy against epochs: a panel for each learning rate, optimizer and loss, all on shared axes."""

from collections.abc import Iterator, Sequence
from itertools import product
from typing import Any

import numpy as np

from toolkit import words
from toolkit.drawing import FINE, every, legend, new_figure, style, tidy
from toolkit.study.charts.base import CROSS, HIGHEST_PERCENT, Chart, accuracy_scale, log_axis, name_row
from toolkit.study.outcome import Outcome
from toolkit.study.study import Study
from toolkit.study.trials import DIVERGED

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
        runs = [one for one in study.outcomes if one.trial.recipe.model == model and one.progress.history]
        if runs:
            for quantity in ("accuracy", "loss"):
                yield _chart(study, runs, model=model, quantity=quantity)


def _chart(study: Study, runs: Sequence[Outcome], *, model: str, quantity: str) -> Chart:
    grid = study.grid
    rows = list(product(grid.loss, grid.optimizer))
    columns = sorted(grid.learning_rate)
    label = "accuracy (%)" if quantity == "accuracy" else "loss"
    figure = new_figure(width=2.0 + 2.6 * len(columns), height=1.3 + 1.75 * len(rows))
    panels = figure.subplots(len(rows), len(columns), sharex=True, sharey=quantity == "accuracy", squeeze=False)
    for (row, (loss, optimizer)), (column, rate) in product(enumerate(rows), enumerate(columns)):
        axes = panels[row][column]
        tidy(axes)
        for position, activation in enumerate(grid.activation):
            same = [
                one
                for one in runs
                if one.configuration
                == {
                    "model": model,
                    "optimizer": optimizer,
                    "activation": activation,
                    "learning_rate": rate,
                    "loss": loss,
                }
            ]
            _lines(axes, same, position, quantity=quantity)
        if row == 0:
            axes.set_title(f"learning rate {rate:g}", fontsize=10)
        if row == len(rows) - 1:
            axes.set_xlabel("epoch")
        if column == 0:
            axes.set_ylabel(label)
    for axes, (loss, optimizer) in zip(panels[:, -1], rows, strict=True):
        name_row(axes, f"{words.value(loss)}\n{words.value(optimizer)}")
    _scale(panels, rows, quantity=quantity)
    title = f"{label.capitalize()} of the {words.value(model)}"
    figure.suptitle(title)
    _legend(figure, grid.activation, diverged=any(one.state == DIVERGED for one in runs))
    caption = _CAPTION.format(
        quantity=quantity.capitalize(),
        model=words.value(model),
        scale=_STRETCHED if quantity == "accuracy" else _BY_ROW,
        seeds=_SEEDS if grid.seeds > 1 else "",
    )
    return Chart(f"{quantity}-{model}", title, caption.strip(), figure)


def _lines(axes: Any, runs: Sequence[Outcome], position: int, *, quantity: str) -> None:
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
        axes.plot(epochs, middle, lw=1.6, markevery=every(shortest), **look.marked)
        if len(values) > 1:
            axes.fill_between(epochs, values.min(axis=0), values.max(axis=0), color=look.colour, alpha=0.2, lw=0)
        if any(one.state == DIVERGED for one in runs):
            axes.plot(epochs[-1], middle[-1], **CROSS)


def _scale(panels: Any, rows: Sequence[tuple[str, str]], *, quantity: str) -> None:
    """Give all accuracies one axis, and the losses one for each kind of loss."""
    from matplotlib.ticker import MaxNLocator

    panels[0][0].xaxis.set_major_locator(MaxNLocator(integer=True))
    for axes in panels.flat:
        axes.tick_params(axis="y", labelsize=FINE)
    if quantity == "accuracy":
        ends = [end for axes in panels.flat if axes.lines for end in (axes.dataLim.y0, axes.dataLim.y1)]
        for axes in panels.flat:
            accuracy_scale(axes, ends)
        return
    for loss in dict.fromkeys(loss for loss, _ in rows):
        own = [axes for row, (of, _) in enumerate(rows) if of == loss for axes in panels[row]]
        filled = [axes.dataLim for axes in own if axes.lines]
        for column, axes in enumerate(own):
            if filled:  # before the scale, which would fit the axis by itself
                axes.set_ylim(min(limits.y0 for limits in filled) * 0.8, max(limits.y1 for limits in filled) * 1.25)
            axes.set_yscale("log")
            log_axis(axes.yaxis)
            axes.tick_params(labelleft=column % len(panels[0]) == 0)


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
