"""Pictures in SVG whose colours are those of the page: light, dark or printed. Shapes and words say the same."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import ceil, floor, log10

from toolkit.report.markup import Markup, element, joined

# What the ticks of an axis are multiples of, times powers of ten.
_STEPS = (1, 2, 5, 10)
_FEWEST, _MOST = 3, 6
# Beyond this ratio of its ends the ticks of a logarithmic axis are powers of ten alone.
_LONG = 50.0
# What an axis has beyond its values at each end, as a share of what they span.
_MARGIN = 0.06
# Half of the width of a marker, and of each kind its corners in this unit: a circle has none. Then a square, a triangle
# and a diamond, of about the same area.
RADIUS = 4.5
_CORNERS: tuple[tuple[tuple[float, float], ...], ...] = (
    (),
    ((-0.875, -0.875), (0.875, -0.875), (0.875, 0.875), (-0.875, 0.875)),
    ((-1.25, 1.0), (1.25, 1.0), (0.0, -1.25)),
    ((-1.3, 0.0), (0.0, -1.3), (1.3, 0.0), (0.0, 1.3)),
)


@dataclass(frozen=True)
class Axis:
    """What places the values from ``low`` to ``high`` between two places of a picture, in its pixels."""

    low: float
    high: float
    start: float
    end: float
    logarithmic: bool = False

    def at(self, value: float) -> float:
        """Return the place of a value; of one that lies outside, the nearer end."""
        low, high, inside = self.low, self.high, min(max(value, self.low), self.high)
        if self.logarithmic:
            low, high, inside = log10(low), log10(high), log10(inside)
        return self.start + (self.end - self.start) * (inside - low) / (high - low)

    @cached_property
    def ticks(self) -> list[float]:
        """Round numbers on the axis."""
        return self._powers() if self.logarithmic else self._multiples()

    def _powers(self) -> list[float]:
        several = (1, 2, 5) if self.high < _LONG * self.low else (1,)
        exponents = range(floor(log10(self.low)), ceil(log10(self.high)) + 1)
        values = [step * 10.0**exponent for exponent in exponents for step in several]
        return [value for value in values if self.low <= value <= self.high]

    def _multiples(self) -> list[float]:
        size = 10.0 ** floor(log10((self.high - self.low) / _FEWEST))
        for step in _STEPS:
            first, last = ceil(self.low / (step * size) - 1e-9), floor(self.high / (step * size) + 1e-9)
            if last - first < _MOST:
                break
        return [number * step * size for number in range(first, last + 1)]


def spread(values: Iterable[float]) -> tuple[float, float]:
    """Return ends of an axis that holds all values, with a margin, a share of what they span."""
    known = list(values)
    low, high = min(known), max(known)
    reach = (high - low) * _MARGIN or abs(high) * _MARGIN or _MARGIN
    return low - reach, high + reach


def picture(width: float, height: float, *parts: object, says: str, look: str = "chart") -> Markup:
    """Return an SVG picture. says: in words what it shows, for those who do not see it."""
    return element(
        "svg",
        element("title", says),
        *parts,
        xmlns="http://www.w3.org/2000/svg",
        viewBox=f"0 0 {width:g} {height:g}",
        width=f"{width:g}",
        height=f"{height:g}",
        role="img",
        class_=look,
    )


def line(x1: float, y1: float, x2: float, y2: float, look: str) -> Markup:
    """Return a straight line."""
    return element("line", x1=x1, y1=y1, x2=x2, y2=y2, class_=look)


def path(points: Sequence[tuple[float, float]], look: str, *, closed: bool = False) -> Markup:
    """Return a line through points, or an area that it encloses."""
    steps = " ".join(f"{x:.2f},{y:.2f}" for x, y in points)
    return element("polygon" if closed else "polyline", points=steps, class_=look)


def bar(x: float, y: float, width: float, height: float, look: str) -> Markup:
    """Return a rectangle."""
    return element("rect", x=x, y=y, width=max(0.0, width), height=max(0.0, height), class_=look)


def text(x: float, y: float, words: object, *, anchor: str = "start", look: str | None = None) -> Markup:
    """Return words; anchor: ``start``, ``middle`` or ``end``, which is at x."""
    return element("text", words, x=x, y=y, text_anchor=anchor, class_=look)


def marker(kind: int, x: float, y: float, look: str, *, radius: float = RADIUS) -> Markup:
    """Return a marker: kinds differ in their shape, so that no colour is needed to tell them apart."""
    corners = _CORNERS[kind % len(_CORNERS)]
    if not corners:
        return element("circle", cx=x, cy=y, r=radius, class_=look)
    return path([(x + radius * right, y + radius * down) for right, down in corners], look, closed=True)


def across(axis: Axis, y: float, words: Sequence[str], title: str, *, top: float | None = None) -> Markup:
    """Return a horizontal axis at y: its ticks with words, and what it shows. top: where lines of a grid end."""
    parts: list[Markup] = []
    for value, word in zip(axis.ticks, words, strict=True):
        x = axis.at(value)
        parts.append(line(x, y + 4, x, y if top is None else top, "grid"))
        parts.append(text(x, y + 15, word, anchor="middle", look="tick"))
    parts.append(line(axis.start, y, axis.end, y, "axis"))
    parts.append(text((axis.start + axis.end) / 2, y + 32, title, anchor="middle", look="label"))
    return joined(parts)


def up(axis: Axis, x: float, words: Sequence[str], title: str, *, right: float) -> Markup:
    """Return a vertical axis at x with lines of a grid to ``right``; what it shows stands above it."""
    parts: list[Markup] = []
    for value, word in zip(axis.ticks, words, strict=True):
        y = axis.at(value)
        parts.append(line(x - 4, y, right, y, "grid"))
        parts.append(text(x - 7, y + 4, word, anchor="end", look="tick"))
    parts.append(line(x, axis.start, x, axis.end, "axis"))
    parts.append(text(x, axis.end - 8, title, look="label"))
    return joined(parts)


def numbers(axis: Axis) -> list[str]:
    """Return the ticks of an axis as they are."""
    return [f"{value:.10g}".replace("-", "−") for value in axis.ticks]


def ruler(axis: Axis, width: float, words: Sequence[str], *, says: str) -> Markup:
    """Return the axis of pictures that stand above each other in the rows of a table, as a picture below them."""
    ticks = [
        part
        for value, word in zip(axis.ticks, words, strict=True)
        for part in (
            line(axis.at(value), 0, axis.at(value), 5, "axis"),
            text(axis.at(value), 18, word, anchor="middle", look="tick"),
        )
    ]
    return picture(width, 22, line(axis.start, 0.5, axis.end, 0.5, "axis"), *ticks, says=says, look="strip")
