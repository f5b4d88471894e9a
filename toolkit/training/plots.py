"""The charts of a run: loss and accuracy against epochs, and which epoch's weights are kept."""

import textwrap
from collections.abc import Sequence
from math import isnan
from pathlib import Path
from typing import Any

from toolkit import drawing, words
from toolkit.text import drawn
from toolkit.training.checkpoint import Epoch
from toolkit.training.recipe import Recipe

# Characters of a line of the title that fit above a chart.
_TITLE_WIDTH = 90


def draw(folder: Path, history: Sequence[Epoch], *, recipe: Recipe, data: str, best_epoch: int) -> tuple[Path, Path]:
    """Write ``loss.png`` and ``accuracy.png`` into ``folder`` and return their paths. data: what is trained on."""
    configuration = words.configuration({a: getattr(recipe, a) for a in words.AXIS_WORDS if a != "model"})
    additions = textwrap.wrap(", ".join(recipe.additions), _TITLE_WIDTH, break_on_hyphens=False)
    lines = (f"{words.value(recipe.model_name)} on {data}: {configuration}", *additions)
    title = "\n".join(drawn(line) for line in lines if line)
    why = f"{'highest' if recipe.monitor_sign > 0 else 'lowest'} {words.value(recipe.monitor)}"
    paths = folder / "loss.png", folder / "accuracy.png"
    for path in paths:
        drawing.save(_chart(history, quantity=path.stem, title=title, best_epoch=best_epoch, why=why), path)
    return paths


def _chart(history: Sequence[Epoch], *, quantity: str, title: str, best_epoch: int, why: str) -> Any:
    figure = drawing.new_figure(width=8, height=4.6)
    from matplotlib.ticker import MaxNLocator

    axes = figure.subplots()
    drawing.tidy(axes)
    epochs = [epoch.epoch for epoch in history]
    percent = quantity == "accuracy"
    # As in the charts of a study: thin is what is learned from, thick with markers what is not.
    looks = {
        "training": drawing.style(0).plain | {"lw": 0.9, "marker": "" if len(epochs) > 1 else "."},
        "validation": drawing.style(1).marked | {"lw": 1.6, "markevery": drawing.marker_step(len(epochs))},
    }
    if isnan(history[0].val_loss):  # no validation images
        del looks["validation"]
    for name, look in looks.items():
        prefix = "val_" if name == "validation" else ""
        values = [getattr(epoch, f"{prefix}{quantity}") * (100 if percent else 1) for epoch in history]
        axes.plot(epochs, values, label=name, **look)
        best = values[best_epoch - 1]
    value = f"{best:.2f} %" if percent else f"{best:.4f}"
    axes.plot(
        best_epoch, best, ls="none", marker="D", color=drawing.INK, ms=7, zorder=3,
        label=f"best epoch: {best_epoch} ({value}), {why}",
    )  # fmt: skip
    if best_epoch < epochs[-1]:
        label = f"from epoch {best_epoch + 1} on: weights not kept"
        axes.axvspan(best_epoch, epochs[-1], color=drawing.FAINT, alpha=0.12, lw=0, label=label)
    axes.set(title=title, xlabel="epoch", ylabel=f"{quantity} (%)" if percent else quantity)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    drawing.legend(figure, axes.get_legend_handles_labels()[0])
    return figure
