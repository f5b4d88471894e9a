"""A picture of the images that artifacts put into another class than the reference."""

from collections.abc import Sequence
from math import ceil
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from toolkit import drawing
from toolkit.parity.figures import Flip
from toolkit.parity.result import Verified
from toolkit.text import drawn

# A row has so many images; the heading needs the width of the fewest.
FEWEST_COLUMNS, COLUMNS = 4, 6
MOST_TILES = 60
# By the kind of a flip; the text says it as well.
COLOURS = {"lost": drawing.VERMILION, "gained": drawing.GREEN, "both wrong": drawing.FAINT}


def draw(path: Path, parts: Sequence[Verified]) -> int:
    """Write the picture and return how many images it shows: each once, with the artifacts that flip it."""
    from matplotlib.patches import Patch

    tiles = [
        (part, flip, names)
        for part in parts
        for flip, names in sorted(_by_image(part).items(), key=lambda item: (item[0].index, item[0].candidate))
    ]
    first = tiles[:MOST_TILES]
    columns = min(COLUMNS, max(FEWEST_COLUMNS, len(first)))
    rows = max(1, ceil(len(first) / columns))
    figure = drawing.new_figure(width=2.1 * columns, height=2.75 * rows + 0.7)
    title = "Images that an artifact classifies differently from Keras" if first else "No image changes its class"
    total = sum(c.figures.changed for part in parts for c in part.comparisons if c.figures)
    more = f" (the first {len(first)}; {total} flips in all)" if len(tiles) > len(first) else ""
    if silent := [Path(c.artifact).name for part in parts for c in part.comparisons if c.figures is None]:
        more += f"; without outputs: {drawn(', '.join(silent))}"
    figure.suptitle(title + more, fontsize=12, wrap=True)
    grid = figure.subplots(rows, columns, squeeze=False).ravel()
    for axes in grid:
        axes.set_axis_off()
    for axes, (part, flip, names) in zip(grid, first, strict=False):
        _show(axes, part.expected.images[flip.index])
        classes = part.class_names
        label, reference, candidate = (drawn(classes[c]) for c in (flip.label, flip.reference, flip.candidate))
        heading = f"#{flip.index}: {label}\nKeras {reference} → {candidate}"
        axes.set_title(heading, fontsize=drawing.SMALL, color=COLOURS[flip.kind])
        axes.text(
            0.5, -0.04, "\n".join(map(drawn, names)), transform=axes.transAxes, ha="center", va="top", fontsize=6.5
        )
    drawing.legend(figure, [Patch(color=colour, label=text) for text, colour in COLOURS.items()])
    drawing.save(figure, path)
    return len(first)


def _show(axes: Any, row: NDArray[Any]) -> None:
    """Draw pixels as they are, and values as lines: those of a table, or each channel along its steps."""
    if row.dtype == np.uint8:
        axes.imshow(row[..., 0] if row.shape[-1] == 1 else row, cmap="gray", vmin=0, vmax=255)
    elif row.ndim == 3:
        axes.imshow(row[..., 0].T, cmap="gray", origin="lower", aspect="auto")
    else:
        axes.plot(row, linewidth=0.8)


def _by_image(part: Verified) -> dict[Flip, list[str]]:
    flips: dict[Flip, list[str]] = {}
    for comparison in part.comparisons:
        for flip in comparison.figures.flips if comparison.figures else ():
            flips.setdefault(flip, []).append(Path(comparison.artifact).name)
    return flips
