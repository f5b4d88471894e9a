"""A picture of an artifact's layers: bars of signal to noise, the damaged one marked."""

from math import inf
from pathlib import Path

from toolkit import drawing
from toolkit.parity.localize import Localized
from toolkit.text import drawn

# How long the bar of an exact layer is drawn: more than float32 can have.
EXACT_DB = 160.0


def draw(path: Path, localized: Localized) -> None:
    """Write the picture: for each layer the noise it adds itself, and the noise that has come together there."""
    figure = drawing.new_figure(width=8, height=1.4 + 0.62 * len(localized.layers))
    axes = figure.subplots()
    drawing.tidy(axes)
    culprit, longest = localized.culprit, localized.least_db
    for position, layer in enumerate(localized.layers):
        colour = drawing.VERMILION if layer is culprit else drawing.BLUE
        for offset, ratio, shade in ((-0.19, layer.own_sqnr_db, colour), (0.19, layer.sqnr_db, drawing.SKY)):
            length = max(0.0, min(ratio, EXACT_DB))
            longest = max(longest, length)
            axes.barh(position + offset, length, height=0.36, color=shade)
            text = "exact" if ratio == inf else f"{ratio:.0f} dB"
            axes.annotate(
                text,
                (length, position + offset),
                (4, 0),
                textcoords="offset points",
                va="center",
                fontsize=drawing.FINE,
            )
    axes.axvline(localized.least_db, color=drawing.FAINT, lw=0.9, ls=":")
    names = [drawn(layer.name) + ("\n(first damaged)" if layer is culprit else "") for layer in localized.layers]
    axes.set_yticks(range(len(localized.layers)), names)
    axes.invert_yaxis()
    axes.set(
        xlim=(0, 1.12 * longest), xlabel="signal to noise (dB), longer is better", title=drawn(localized.artifact.name)
    )
    handles = [
        axes.barh(0, 0, color=drawing.BLUE, label="of this layer alone"),
        axes.barh(0, 0, color=drawing.SKY, label="with all before it"),
        axes.plot([], [], color=drawing.FAINT, lw=0.9, ls=":", label=f"least to expect: {localized.least_db:.0f} dB")[
            0
        ],
    ]
    drawing.legend(figure, handles)
    drawing.save(figure, path)
