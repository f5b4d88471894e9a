"""Pictures: what all of them share, from the palette and how several things are told apart to how they are saved."""

import re
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from toolkit import extras
from toolkit.errors import UsageError
from toolkit.files import atomic

# What makes the same figures the same bytes, of each kind of file.
_NO_METADATA = {".png": {"Software": None}, ".svg": {"Date": None}}
DPI = 120
SMALL, FINE = 9, 8
# Of the Okabe-Ito palette, dark enough on white; the colour-blind can tell them apart.
BLUE, VERMILION, GREEN, PURPLE, SKY, BLACK = "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#000000"
COLOURS = (BLUE, VERMILION, GREEN, PURPLE, SKY, BLACK)
MARKERS = ("o", "s", "^", "D", "v", "P")
LINES = ("-", "--", "-.", ":", (0, (5, 1, 1, 1, 1, 1)), (0, (1, 1)))
INK, FAINT = "#222222", "#666666"
# A ring around what was chosen.
RING: dict[str, Any] = {"ls": "none", "marker": "o", "ms": 11, "mfc": "none", "color": INK}
# How many markers a line has at most.
MARKERS_A_LINE = 8
# What an entry of a legend takes in inches: its handle, and each character of the size SMALL.
_HANDLE_INCHES, _CHARACTER_INCHES = 0.6, 0.065


@dataclass(frozen=True)
class Style:
    """How one of several things looks: alike in every picture, and different also without colour."""

    colour: str
    marker: str
    line: Any

    @property
    def plain(self) -> dict[str, Any]:
        """A line alone."""
        return {"color": self.colour, "ls": self.line}

    @property
    def points(self) -> dict[str, Any]:
        """Markers alone; every second kind is hollow."""
        face = self.colour if MARKERS.index(self.marker) % 2 == 0 else "white"
        return {"color": self.colour, "ls": "none", "marker": self.marker, "ms": 4.5, "mfc": face}

    @property
    def marked(self) -> dict[str, Any]:
        """A line with markers."""
        return self.points | self.plain


def style(position: int) -> Style:
    """Return the look of the thing at a position of its axis."""
    kinds = len(COLOURS)
    return Style(COLOURS[position % kinds], MARKERS[position % kinds], LINES[position % kinds])


def check(path: Path) -> None:
    """Raise what would keep a picture from being written: UsageError, or MissingExtraError without matplotlib."""
    if path.suffix not in _NO_METADATA:
        raise UsageError(f"{path}: a picture must end in {' or '.join(_NO_METADATA)}")
    extras.require("matplotlib")


def new_figure(*, width: float, height: float) -> Any:
    """Return an empty figure, which needs no display; sizes in inches."""
    extras.load("matplotlib")
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained", dpi=DPI)
    FigureCanvasAgg(figure)
    return figure


def save(figure: Any, path: Path) -> None:
    """Write a figure as the kind of file that its name says."""
    from matplotlib import rc_context

    with rc_context({"svg.hashsalt": path.stem}), atomic(path) as temporary:
        figure.savefig(temporary, metadata=_NO_METADATA[path.suffix])
    figure.set_layout_engine("none")  # what was laid out once stays where it is in the next file


def tidy(axes: Any) -> None:
    """Take away what carries no information."""
    axes.grid(alpha=0.3)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)


def legend(figure: Any, handles: Sequence[Any]) -> None:
    """Put the legend below the panels, in as many columns as there is room for."""
    longest = max(len(handle.get_label()) for handle in handles)
    columns = max(1, int(figure.get_figwidth() / (_HANDLE_INCHES + _CHARACTER_INCHES * longest)))
    figure.legend(
        handles=handles, loc="outside lower center", ncols=min(columns, len(handles)), frameon=False, fontsize=SMALL
    )


def wrapped_title(text: str, *, inches: float, size: float) -> str:
    """Return a title of a font size in lines that fit a width; a line ends at a space or after a comma."""
    width = int(inches / (_CHARACTER_INCHES * size / SMALL))
    return "\n".join(textwrap.wrap(re.sub(r",(?=\S)", ", ", text), width, break_on_hyphens=False))


def marker_step(points: int) -> int:
    """Return at how many points of a line a marker stands."""
    return max(1, points // MARKERS_A_LINE)
