"""What accuracy costs in latency and size, and which artifacts no other equals in all three."""

from collections.abc import Sequence
from math import cos, hypot, pi, sin
from string import ascii_uppercase

from toolkit import registry, units
from toolkit.bench.front import contenders, front
from toolkit.bench.result import Result, names
from toolkit.console import figure_columns, text_columns
from toolkit.errors import ArtifactError
from toolkit.report import svg
from toolkit.report.markup import Markup, code, element, joined, table, verdict
from toolkit.report.sections.base import Section, command
from toolkit.report.subject import Subject
from toolkit.report.svg import Axis

ORDER, TITLE = 90, "Accuracy, latency and size"
WIDTH, HEIGHT = 640.0, 360.0
# Half the widths of the markers of the largest file and of any, at least.
LARGEST, LEAST = 20.0, 6.0
# How far the middle of a letter is from the edge of its marker, from that of any other, and from another letter.
BESIDE, CLEAR, LETTER = 9.0, 7.0, 14.0
# The least range of accuracies, in percent: smaller differences are none to speak of.
LEAST_RANGE = 0.2
_ACROSS = "median latency of one inference, logarithmic"
_COLUMNS = (
    *text_columns("", "artifact"),
    *figure_columns("accuracy", "median", "size"),
    *text_columns("verdict", "on the front"),
)


def show(subject: Subject) -> Section:
    """Return accuracy against latency, the area of a marker being the size of its file."""
    points = sorted(contenders(subject.record.results), key=lambda one: one.median.value)
    if len(points) < 2:
        raise ArtifactError(
            "it takes accuracy and latency of two artifacts, which 'toolkit verify --save' and 'toolkit bench' measure"
        )
    letters = [ascii_uppercase[number % 26] + str(number // 26 or "") for number in range(len(points))]
    best = front(points)
    rows = [
        (
            letter,
            code(name),
            units.percent(point.accuracy or 0.0),
            units.seconds(point.median.value),
            units.size(point.size_bytes),
            verdict(point.parity),
            "yes" if point in best else "no",
        )
        for letter, name, point in zip(letters, names(points), points, strict=True)
    ]
    what = (
        "Area of a marker: size of the file; its shape: the runtime. Filled, on the front: no other artifact is as "
        "good in accuracy, latency and size at once. Hollow: another one is, or its verification failed."
    )
    drawn = element("figure", _drawn(points, letters, best))
    body = joined([drawn, element("p", what, class_="faint"), table(_COLUMNS, rows)])
    return Section(body, {command("record", "plot", subject.record.folder, "front.png"): "draws it anew"})


def _drawn(points: Sequence[Result], letters: Sequence[str], best: Sequence[Result]) -> Markup:
    across, up = _axes(points)
    runtimes = [name for name in registry.names("toolkit.runtimes") if any(point.runtime == name for point in points)]
    parts = [
        svg.up(up, across.start, svg.numbers(up), "accuracy (%)", right=across.end),
        svg.across(across, up.start, [units.round_seconds(value) for value in across.ticks], _ACROSS, top=up.end),
    ]
    largest = max(point.size_bytes for point in points)
    # Small ones lie on large ones, and letters on all of them.
    ordered = sorted(zip(points, letters, strict=True), key=lambda pair: -pair[0].size_bytes)
    places = [(across.at(point.median.value), up.at(100 * (point.accuracy or 0.0))) for point, _ in ordered]
    radii = [max(LEAST, LARGEST * (point.size_bytes / largest) ** 0.5) for point, _ in ordered]
    for (point, _), (x, y), radius in zip(ordered, places, radii, strict=True):
        kind = runtimes.index(point.runtime)
        look = f"area{kind}" if point in best else f"hollow{kind}"
        parts.append(svg.marker(kind, x, y, look, radius=radius))
    taken = [(x, y, radius + CLEAR) for (x, y), radius in zip(places, radii, strict=True)]
    for (_, letter), (x, y), radius in zip(ordered, places, radii, strict=True):
        at = _free(x, y, radius, taken)
        taken.append((*at, LETTER))
        parts.append(svg.text(at[0], at[1] + 4, letter, anchor="middle", look="name"))
    for kind, name in enumerate(runtimes):
        x = across.end - 110 * (len(runtimes) - kind)
        parts += [svg.marker(kind, x, 17, f"area{kind}"), svg.text(x + 9, 21, name, look="label")]
    return svg.picture(WIDTH, HEIGHT, *parts, says="accuracy against latency; the table has the figures")


def _free(x: float, y: float, radius: float, taken: Sequence[tuple[float, float, float]]) -> tuple[float, float]:
    """Return the middle of the letter of a marker: beside it, the first place that is not taken.

    taken: what is there already, each with how far away a letter must be.
    """
    turns = (0, 1, -1, 2, -2, 3, -3, 4)
    reaches = (radius + BESIDE, LARGEST + BESIDE)  # the second is outside of a large marker below
    beside = [(x + far * cos(turn * pi / 4), y + far * sin(turn * pi / 4)) for far in reaches for turn in turns]
    free = (at for at in beside if all(hypot(at[0] - x2, at[1] - y2) >= reach for x2, y2, reach in taken))
    return next(free, beside[0])


def _axes(points: Sequence[Result]) -> tuple[Axis, Axis]:
    latencies = [point.median.value for point in points]
    wide = max(4.0, max(latencies) / min(latencies)) ** 0.2
    across = Axis(min(latencies) / wide, max(latencies) * wide, 62.0, WIDTH - 16, logarithmic=True)
    accuracies = [100 * (point.accuracy or 0.0) for point in points]
    middle = (max(accuracies) + min(accuracies)) / 2
    reach = max(LEAST_RANGE, 1.6 * (max(accuracies) - min(accuracies))) / 2
    return across, Axis(middle - reach, min(middle + reach, 100 + reach / 5), HEIGHT - 42, 44.0)
