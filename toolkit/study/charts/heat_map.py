"""Test accuracies over the whole grid."""

from collections.abc import Iterator, Sequence
from itertools import product
from statistics import mean
from typing import Any

from toolkit import words
from toolkit.drawing import FAINT, SMALL, VERMILION, legend
from toolkit.study.charts.base import HIGHEST_PERCENT, TICKS_PERCENT, Chart, alike, by_model_and_loss, tick_labels
from toolkit.study.outcome import TrialOutcome
from toolkit.study.study import Study
from toolkit.study.trials import TrialState

ORDER = 0
# The frame of a cell that is the best of its model.
_BEST: dict[str, Any] = {"edgecolor": VERMILION, "lw": 2.5}
_HATCH = "////"


def draw(study: Study) -> Iterator[Chart]:
    """Yield one chart: a panel for each model and loss, a cell for each optimizer, activation and learning rate."""
    grid = study.grid
    if not any(one.ended for one in study.outcomes):
        return
    rates = sorted(grid.learning_rate)
    rows = list(product(grid.optimizer, grid.activation))
    width, height = 0.4 + 0.95 * len(rates), 0.55 + 0.46 * len(rows)
    figure, panels = by_model_and_loss(grid, width=2.9 + width * len(grid.loss), height=1.5 + height * len(grid.model))
    shades, best = _shades(study.outcomes), study.best()
    for axes, values in panels:
        axes.set(xlim=(-0.5, len(rates) - 0.5), ylim=(len(rows) - 0.5, -0.5))
        axes.set_xticks(range(len(rates)), [f"{rate:g}" for rate in rates])
        axes.set_yticks(range(len(rows)), [f"{words.value(o)}, {words.value(a)}" for o, a in rows], fontsize=SMALL)
        axes.tick_params(length=0)
        axes.spines[:].set_visible(False)
        for (down, (optimizer, activation)), (left, rate) in product(enumerate(rows), enumerate(rates)):
            own = {**values, "optimizer": optimizer, "activation": activation, "learning_rate": rate}
            _cell(axes, left, down, alike(study.outcomes, **own), shades, best=bool(alike(best, **own)))
    _explain(
        figure, [axes for axes, _ in panels], shades, any(one.state == TrialState.DIVERGED for one in study.outcomes)
    )
    caption = (
        "Accuracy of the best weights on the test images in percent"
        + (", the mean over seeds" if grid.seeds > 1 else "")
        + ". The darker, the smaller the error, on a logarithmic scale. Framed: the best of each model, chosen by "
        "validation accuracy and not by what is shown. Hatched: diverged; empty: not finished."
    )
    yield Chart("heat", "Test accuracy (%) over the grid", caption, figure)


def _percent(runs: Sequence[TrialOutcome]) -> float | None:
    accuracies = [100 * one.test_accuracy for one in runs if one.test_accuracy is not None]
    return mean(accuracies) if accuracies else None


def _shades(runs: Sequence[TrialOutcome]) -> Any:
    """Return what gives an error, in percent, its colour: from the smallest of the runs, dark, to the largest."""
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import LogNorm

    errors = [_error(percent) for one in runs if (percent := _percent([one])) is not None] or [100.0]
    return ScalarMappable(LogNorm(min(errors), max(*errors, min(errors) * 1.1)), "Blues_r")


def _error(percent: float) -> float:
    return 100 - min(percent, HIGHEST_PERCENT)


def _cell(axes: Any, left: int, height: int, same: Sequence[TrialOutcome], shades: Any, *, best: bool) -> None:
    from matplotlib.patches import Rectangle

    percent = _percent(same)
    diverged = sum(one.state == TrialState.DIVERGED for one in same)
    colour = (1.0, 1.0, 1.0) if percent is None else shades.to_rgba(_error(percent))[:3]
    text = "" if percent is None else f"{percent:.2f}"
    if diverged:
        text += f"{chr(10) if text else ''}{diverged} diverged" if len(same) > 1 else "diverged"
    look: dict[str, Any] = {"facecolor": colour, "hatch": _HATCH if diverged else None, "edgecolor": FAINT, "lw": 0.5}
    axes.add_patch(Rectangle((left - 0.47, height - 0.45), 0.94, 0.9, **look | (_BEST if best else {})))
    axes.text(
        left, height, text, ha="center", va="center", fontsize=SMALL,
        color="white" if mean(colour) < 0.55 and not diverged else "black",
        bbox={"facecolor": "white", "edgecolor": "none", "pad": 1} if diverged else None,
    )  # fmt: skip


def _explain(figure: Any, panels: Any, shades: Any, diverged: bool) -> None:
    """Put a bar of the colours at the right, and what frame and hatches mean below."""
    from matplotlib.patches import Patch
    from matplotlib.ticker import NullLocator

    bar = figure.colorbar(shades, ax=panels, label="test accuracy (%)", aspect=30)
    bar.ax.invert_yaxis()
    bar.ax.yaxis.set_minor_locator(NullLocator())
    least, most = shades.norm.vmin, shades.norm.vmax
    ticks = [tick for tick in TICKS_PERCENT if least <= _error(tick) <= most]
    if len(ticks) < 2:  # a short bar between two of them
        ticks = [100 - most, 100 - least]
    bar.set_ticks([_error(tick) for tick in ticks], labels=tick_labels(ticks))
    handles = [Patch(facecolor="none", label="best of its model, by validation accuracy", **_BEST)]
    if diverged:
        handles.append(Patch(facecolor="white", edgecolor=FAINT, hatch=_HATCH, label="diverged"))
    legend(figure, handles)
