"""What the charts share: how a value looks, and axes on which accuracies near 100 % can be told apart."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from toolkit import extras

# The Okabe-Ito palette without its yellow, dark enough on white; the colour-blind can tell its colours apart.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#000000")
MARKERS = ("o", "s", "^", "D", "v", "P")
LINES = ("-", "--", "-.", ":", (0, (5, 1, 1, 1, 1, 1)), (0, (1, 1)))
# How many markers a line has at most.
MARKERS_A_LINE = 8
# What marks a run that diverged.
CROSS: dict[str, Any] = {"ls": "none", "marker": "x", "color": "black", "ms": 8, "mew": 2}
# What an entry of a legend takes.
LEGEND_COLUMN_INCHES = 1.9
# Above this the axis of accuracies has no more room: 100 % would be infinitely far.
HIGHEST_PERCENT = 99.99
# The axis ends this factor of the error beyond the values.
_MARGIN = 1.15
# From this ratio of its ends on, a logarithmic axis is long.
_LONG = 1e3
_TICKS = (10, 50, 80, 90, 95, 98, 99, 99.5, 99.9)


@dataclass(frozen=True)
class Chart:
    """A figure with the name of its files, and in words what it shows."""

    name: str
    title: str
    caption: str
    figure: Any


@dataclass(frozen=True)
class Style:
    """How one of several things looks: alike in every chart, and different also without colour."""

    colour: str
    marker: str
    line: Any

    @property
    def filled(self) -> str:
        """The face of a marker: every second one is hollow."""
        return self.colour if MARKERS.index(self.marker) % 2 == 0 else "white"


def style(position: int) -> Style:
    """Return the look of the thing at a position of its axis."""
    kinds = len(COLOURS)
    return Style(COLOURS[position % kinds], MARKERS[position % kinds], LINES[position % kinds])


def new_figure(*, width: float, height: float) -> Any:
    """Return an empty figure; sizes in inches."""
    extras.load("matplotlib").use("Agg")
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), layout="constrained")


def tidy(axes: Any) -> None:
    """Take away what carries no information."""
    axes.grid(alpha=0.3)
    axes.spines[["top", "right"]].set_visible(False)


def legend(figure: Any, handles: Sequence[Any]) -> None:
    """Put the legend below the panels, in as many columns as there is room for."""
    columns = max(1, int(figure.get_figwidth() / LEGEND_COLUMN_INCHES))
    figure.legend(
        handles=handles, loc="outside lower center", ncols=min(columns, len(handles)), frameon=False, fontsize=9
    )


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


def every(points: int) -> int:
    """Return at how many points of a line a marker stands."""
    return max(1, points // MARKERS_A_LINE)


def accuracy_scale(axes: Any, values: Sequence[float], *, of: str = "y") -> None:
    """Stretch the x or y axis towards 100 %, equal steps being equal factors of the error, and fit it to the values.

    values: all that the axis has to show, in percent.
    """
    import numpy as np

    def forward(percent: Any) -> Any:
        return -np.log10(100 - np.minimum(percent, HIGHEST_PERCENT))

    def inverse(height: Any) -> Any:
        return 100 - 10.0 ** -np.asarray(height)

    set_scale, set_limits, axis = (
        (axes.set_xscale, axes.set_xlim, axes.xaxis) if of == "x" else (axes.set_yscale, axes.set_ylim, axes.yaxis)
    )
    errors = [100 - min(value, HIGHEST_PERCENT) for value in (min(values), max(values))]
    low, high = max(0.0, 100 - errors[0] * _MARGIN), 100 - errors[1] / _MARGIN
    set_limits(low, high)  # first, or the scale would fit the axis by itself
    set_scale("function", functions=(forward, inverse))
    ticks = [tick for tick in _TICKS if low <= tick <= high]
    axis.set_ticks(ticks, [f"{tick:g}" for tick in ticks])
    axis.set_ticks([], minor=True)
