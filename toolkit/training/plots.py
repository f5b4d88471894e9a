"""The charts of a run: loss and accuracy against epochs."""

from collections.abc import Sequence
from math import isnan
from pathlib import Path

from toolkit import extras
from toolkit.files import atomic
from toolkit.text import drawn
from toolkit.training.checkpoint import Epoch

# Blue and orange of the Okabe-Ito palette, which the colour-blind can tell apart; the line styles differ as well.
TRAINING_COLOUR, VALIDATION_COLOUR, BEST_COLOUR = "#0072B2", "#D55E00", "#555555"


def draw(folder: Path, history: Sequence[Epoch], *, title: str, best_epoch: int) -> tuple[Path, Path]:
    """Write ``loss.png`` and ``accuracy.png`` into ``folder`` and return their paths."""
    paths = folder / "loss.png", folder / "accuracy.png"
    for path, quantity, unit in zip(paths, ("loss", "accuracy"), ("", " (%)"), strict=True):
        _draw_one(path, history, quantity=quantity, unit=unit, title=drawn(title), best_epoch=best_epoch)
    return paths


def _draw_one(path: Path, history: Sequence[Epoch], *, quantity: str, unit: str, title: str, best_epoch: int) -> None:
    extras.load("matplotlib").use("Agg")
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator

    scale = 100.0 if unit else 1.0
    epochs = [epoch.epoch for epoch in history]
    training = [getattr(epoch, quantity) * scale for epoch in history]
    validation = [getattr(epoch, f"val_{quantity}") * scale for epoch in history]
    figure = Figure(figsize=(7, 4.2), layout="constrained")
    axes = figure.subplots()
    marker = "o" if len(epochs) <= 20 else None
    axes.plot(epochs, training, color=TRAINING_COLOUR, marker=marker, markersize=3.5, label="training")
    best = training[best_epoch - 1]
    if not isnan(validation[0]):
        axes.plot(
            epochs, validation, color=VALIDATION_COLOUR, marker=marker, markersize=3.5, ls="--", label="validation"
        )
        best = validation[best_epoch - 1]
    axes.axvline(best_epoch, color=BEST_COLOUR, lw=0.8, ls=":")
    label = f"best epoch: {best_epoch} ({best:.2f} %)" if unit else f"best epoch: {best_epoch} ({best:.4f})"
    axes.plot([best_epoch], [best], ls="none", marker="D", color=BEST_COLOUR, markersize=6, label=label)
    axes.set(title=drawn(title), xlabel="epoch", ylabel=f"{quantity}{unit}")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.grid(alpha=0.3)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False)
    with atomic(path) as temporary:
        figure.savefig(temporary, dpi=150)
