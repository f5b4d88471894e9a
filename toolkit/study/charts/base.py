"""What the charts share: names of rows, and axes on which accuracies near 100 % can be told apart."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from toolkit.drawing import SMALL

# What marks a run that diverged.
CROSS: dict[str, Any] = {"ls": "none", "marker": "x", "color": "black", "ms": 8, "mew": 2}
# Above this the axis of accuracies has no more room: 100 % would be infinitely far.
HIGHEST_PERCENT = 99.99
# What an axis has beyond its values at each end, and the least distance of two labels: shares of what the values span.
_MARGIN, _APART = 0.05, 0.08
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


def name_row(axes: Any, text: str) -> None:
    """Name a row of panels at the right of its last one; at the left stands what its axis shows."""
    axes.annotate(
        text, (1, 0.5), (8, 0), xycoords="axes fraction", textcoords="offset points", rotation=270, va="center",
        ma="center", fontsize=SMALL,
    )  # fmt: skip


def tick_labels(percents: Sequence[float]) -> list[str]:
    """Return the texts of ticks; the last is for all that is drawn at the end of an axis."""
    return [f"{'≥ ' if percent == HIGHEST_PERCENT else ''}{percent:g}" for percent in percents]


def log_axis(axis: Any) -> None:
    """Label an axis with a logarithmic scale at 1, 2 and 5 times each power of ten, in plain numbers.

    A long one only at the powers, or the labels would cover each other.
    """
    from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

    class Locator(LogLocator):
        def tick_values(self, vmin: float, vmax: float) -> Any:
            self.set_params(subs=(1,) if vmax > vmin * _LONG else (1, 2, 5))
            return super().tick_values(vmin, vmax)

    axis.set_major_locator(Locator(numticks=9))
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axis.set_minor_locator(NullLocator())


def accuracy_scale(axes: Any, values: Sequence[float], *, of: str = "y") -> None:
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
        (axes.set_xscale, axes.set_xlim, axes.xaxis) if of == "x" else (axes.set_yscale, axes.set_ylim, axes.yaxis)
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
    if len(ticks) < 2:  # a short axis between two of them
        ticks = [tick for tick in MaxNLocator(3).tick_values(first, last) if first <= tick <= last]
    axis.set_ticks(ticks, tick_labels(ticks))
    axis.set_ticks([], minor=True)
