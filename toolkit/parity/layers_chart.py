"""A picture of an artifact's layers: bars of signal to noise, the damaged one marked."""

from math import inf
from pathlib import Path

from toolkit import extras
from toolkit.files import atomic
from toolkit.parity.localize import Localized
from toolkit.text import drawn

# Blue, sky blue and vermilion of the Okabe-Ito palette, which the colour-blind can tell apart.
OWN_COLOUR, WHOLE_COLOUR, CULPRIT_COLOUR = "#0072B2", "#56B4E9", "#D55E00"
# How long the bar of an exact layer is drawn: more than float32 can have.
EXACT_DB = 160.0


def draw(path: Path, found: Localized) -> None:
    """Write the picture: for each layer the noise it adds itself, and the noise that has come together there."""
    extras.load("matplotlib").use("Agg")
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 1.4 + 0.62 * len(found.layers)), layout="constrained")
    axes = figure.subplots()
    culprit = found.culprit
    for position, layer in enumerate(found.layers):
        colour = CULPRIT_COLOUR if layer is culprit else OWN_COLOUR
        for offset, ratio, shade in ((-0.19, layer.own_sqnr_db, colour), (0.19, layer.sqnr_db, WHOLE_COLOUR)):
            axes.barh(position + offset, max(0.0, min(ratio, EXACT_DB)), height=0.36, color=shade)
            text = "exact" if ratio == inf else f"{ratio:.0f} dB"
            axes.text(max(0.0, min(ratio, EXACT_DB)) + 1.5, position + offset, text, va="center", fontsize=8)
    axes.axvline(found.least_db, color="#555555", lw=0.9, ls=":")
    names = [drawn(layer.name) + ("\n(first damaged)" if layer is culprit else "") for layer in found.layers]
    axes.set_yticks(range(len(found.layers)), names)
    axes.invert_yaxis()
    axes.set(xlim=(0, EXACT_DB + 15), xlabel="signal to noise (dB), longer is better", title=drawn(found.artifact.name))
    axes.spines[["top", "right"]].set_visible(False)
    handles = [
        axes.barh(0, 0, color=OWN_COLOUR, label="of this layer alone"),
        axes.barh(0, 0, color=WHOLE_COLOUR, label="with all before it"),
        axes.plot([], [], color="#555555", lw=0.9, ls=":", label=f"least to expect: {found.least_db:.0f} dB")[0],
    ]
    figure.legend(handles=handles, frameon=False, ncols=3, loc="outside lower center", fontsize=8)
    with atomic(path) as temporary:
        figure.savefig(temporary, dpi=130)
