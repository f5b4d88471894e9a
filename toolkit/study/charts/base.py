"""What the charts share: how panels are laid out, and axes on which accuracies near 100 % can be told apart."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any, Protocol, cast

from toolkit import registry, words
from toolkit.drawing import FINE, SMALL, new_figure, tidy, wrapped_title
from toolkit.study.grid import Grid
from toolkit.study.outcome import TrialOutcome

# What marks a run that diverged.
CROSS: dict[str, Any] = {"ls": "none", "marker": "x", "color": "black", "ms": 8, "mew": 2}
# The axis of accuracies ends here: 100 % would be infinitely far.
HIGHEST_PERCENT = 99.99
# What an axis has beyond its values at each end, and the least distance of two labels: shares of what the values span.
_MARGIN, _APART = 0.05, 0.08
# Font sizes of the title of a figure, and of a panel.
_HEADING, _TITLE = 11, 10
# From this ratio of its ends on, a logarithmic axis is long.
_LONG = 1e3
TICKS_PERCENT = (10, 50, 80, 90, 95, 98, 99, 99.5, 99.9, HIGHEST_PERCENT)


@dataclass(frozen=True)
class Chart:
    """A figure with the name of its files, and in words what it shows."""

    name: str
    title: str
    caption: str
    figure: Any


class ChartModule(Protocol):
    """What a module of charts has. ORDER: its place in the report."""

    ORDER: int

    def draw(self, subject: Any, /) -> Iterator[Chart]:
        """Yield what there is to show of a study, or of whatever the charts of the folder are of."""


def draw_all(package: str, subject: Any) -> Iterator[Chart]:
    """Yield every chart that the modules of a package draw, in the order of the report."""
    modules = [cast("ChartModule", registry.member(package, name, kind="chart")) for name in registry.names(package)]
    for module in sorted(modules, key=lambda module: module.ORDER):
        for chart in module.draw(subject):
            title = wrapped_title(chart.title, inches=chart.figure.get_figwidth(), size=_HEADING)
            chart.figure.suptitle(title, fontsize=_HEADING)
            yield chart


def alike(runs: Sequence[TrialOutcome], **values: Any) -> list[TrialOutcome]:
    """Return the runs that have these values on the axes."""
    return [one for one in runs if one.configuration.items() >= values.items()]


def by_recipe(
    grid: Grid, axis: str, columns: Sequence[Any], *, width: float, sharey: bool | str, xlabel: str, ylabel: str
) -> tuple[Any, list[tuple[Any, dict[str, Any]]]]:
    """Return a figure, and its panels with their values: a row for each loss and optimizer, a column for each value.

    A row is named at its right; at its left stands what its axis shows. width: of a panel, in inches.
    """
    from matplotlib.ticker import MaxNLocator

    rows = list(product(grid.loss, grid.optimizer))
    figure = new_figure(width=2.0 + width * len(columns), height=1.4 + 1.75 * len(rows))
    panels = figure.subplots(len(rows), len(columns), sharex=True, sharey=sharey, squeeze=False)
    panels[0][0].xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    for axes, value in zip(panels[0], columns, strict=True):
        axes.set_title(words.configuration({axis: value}), fontsize=_TITLE)
    for line, (loss, optimizer) in zip(panels, rows, strict=True):
        line[0].set_ylabel(ylabel)
        line[-1].annotate(
            f"{words.value(loss)}\n{words.value(optimizer)}", (1, 0.5), (8, 0), xycoords="axes fraction",
            textcoords="offset points", rotation=270, va="center", ma="center", fontsize=SMALL,
        )  # fmt: skip
    for axes in panels.flat:
        tidy(axes)
        axes.tick_params(axis="y", labelsize=FINE)
        axes.set_xlabel(xlabel)
        axes.label_outer()
    values = [{"loss": loss, "optimizer": how, axis: value} for (loss, how), value in product(rows, columns)]
    return figure, list(zip(panels.flat, values, strict=True))


def by_model_and_loss(grid: Grid, *, width: float, height: float) -> tuple[Any, list[tuple[Any, dict[str, Any]]]]:
    """Return a figure of that size, and its panels with their values, over learning rates: rows of models."""
    figure = new_figure(width=width, height=height)
    panels = figure.subplots(len(grid.model), len(grid.loss), sharex=True, sharey=True, squeeze=False)
    values = [{"model": model, "loss": loss} for model, loss in product(grid.model, grid.loss)]
    inches = (width - 2) / len(grid.loss)  # beside the labels of the rows
    for axes, own in zip(panels.flat, values, strict=True):
        axes.set_title(wrapped_title(words.configuration(own), inches=inches, size=_TITLE), fontsize=_TITLE)
        axes.set_xlabel("learning rate")
        axes.label_outer()
    return figure, list(zip(panels.flat, values, strict=True))


def by_model(runs: Sequence[TrialOutcome]) -> dict[str, dict[str, list[TrialOutcome]]]:
    """Return the runs of each model, by the words for the rest of their configuration."""
    groups: dict[str, dict[str, list[TrialOutcome]]] = {}
    for one in runs:
        rest = words.configuration({axis: value for axis, value in one.configuration.items() if axis != "model"})
        groups.setdefault(one.trial.recipe.model, {}).setdefault(rest, []).append(one)
    return groups


def a_row_each(models: Sequence[str], names: Sequence[str], *, inches: float, sharex: bool, xlabel: str) -> Any:
    """Return a figure, and a panel for each model, with a row of that height for each name."""
    width = 3.6  # of a panel
    figure = new_figure(width=3.4 + width * len(models), height=1.5 + inches * len(names))
    panels = figure.subplots(1, len(models), sharex=sharex, sharey=True, squeeze=False)[0]
    panels[0].set_yticks(range(len(names)), names, fontsize=FINE)
    panels[0].set_ylim(len(names) - 0.5, -0.5)
    for axes, model in zip(panels, models, strict=True):
        tidy(axes)
        axes.set_title(wrapped_title(words.value(model), inches=width, size=_TITLE), fontsize=_TITLE)
        axes.set_xlabel(xlabel)
    return figure, panels


def tick_labels(percents: Sequence[float]) -> list[str]:
    """Return the texts of ticks; the last is for all that is drawn at the end of an axis."""
    return [f"{'≥ ' if percent == HIGHEST_PERCENT else ''}{percent:g}" for percent in percents]


def log_axis(axis: Any) -> None:
    """Label an axis with a logarithmic scale at 1, 2 and 5 times each power of ten, in plain numbers.

    A long one only at the powers, or the labels would cover each other; a short one that would have a single label, as
    an axis without the scale has them.
    """
    from matplotlib.ticker import AutoLocator, FuncFormatter, LogLocator, NullLocator

    class Locator(LogLocator):
        def tick_values(self, vmin: float, vmax: float) -> Any:
            self.set_params(subs=(1,) if vmax > vmin * _LONG else (1, 2, 5))
            ticks = super().tick_values(vmin, vmax)
            return ticks if sum(vmin <= tick <= vmax for tick in ticks) > 1 else AutoLocator().tick_values(vmin, vmax)

    axis.set_major_locator(Locator(numticks=9))
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axis.set_minor_locator(NullLocator())


def accuracy_scale(axes: Any, values: Sequence[float], *, side: str = "y") -> None:
    """Stretch the x or y axis towards 100 %, equal steps being equal factors of the error, and fit it to the values.

    values: all that the axis has to show, in percent.
    """
    import numpy as np
    from matplotlib.ticker import MaxNLocator

    def forward(percent: Any) -> Any:
        return -np.log10(np.maximum(100 - np.asarray(percent), 1e-9))

    def inverse(height: Any) -> Any:
        return 100 - 10.0 ** -np.asarray(height)

    set_scale, set_limits, axis = (
        (axes.set_xscale, axes.set_xlim, axes.xaxis) if side == "x" else (axes.set_yscale, axes.set_ylim, axes.yaxis)
    )
    low, high = forward([min(HIGHEST_PERCENT, value) for value in (min(values), max(values))])
    span = max(high - low, 0.1)
    first, last = inverse([low - _MARGIN * span, high + _MARGIN * span])
    set_limits(first, last)  # before the scale, which would fit the axis by itself
    set_scale("function", functions=(forward, inverse))
    ticks: list[float] = []
    for tick in TICKS_PERCENT:
        if first <= tick <= last and (not ticks or forward(tick) - forward(ticks[-1]) >= _APART * span):
            ticks.append(tick)
    if len(ticks) < 3:  # a short axis
        ticks = [tick for tick in MaxNLocator(4, steps=(1, 2, 5, 10)).tick_values(first, last) if first <= tick <= last]
    axis.set_ticks(ticks, tick_labels(ticks))
    axis.set_ticks([], minor=True)
