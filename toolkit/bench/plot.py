"""A picture of a benchmark: how the latencies are distributed, and what accuracy costs in latency and size."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from toolkit import drawing, registry, units
from toolkit.bench import labels, statistics
from toolkit.bench.front import contenders, front
from toolkit.bench.record import Record
from toolkit.bench.result import Result, names
from toolkit.drawing import FAINT, FINE, INK, Style, style
from toolkit.errors import ArtifactError
from toolkit.text import drawn
from toolkit.verdict import Verdict

if TYPE_CHECKING:
    from matplotlib.axes import Axes

WIDTH_INCHES, ROW_INCHES, FRONT_INCHES = 11.0, 0.42, 6.0
# Bins of a distribution for a factor of ten: 2.3 % each.
BINS_PER_DECADE = 100
# Area of the marker of the largest file, and the least of any, in square points.
LARGEST_AREA, LEAST_AREA = 400.0, 12.0
P99: dict[str, Any] = {"marker": "v", "ls": "none", "color": INK, "ms": 5}
LONGEST: dict[str, Any] = {"marker": "|", "ms": 5}
WITHHELD = "withheld"
NO_ACCURACY = "no accuracy is known of these artifacts ('toolkit verify --save' records it in their manifest)"
ONE_ACCURACY = "the accuracy of one artifact alone is known, and it takes two to compare"
# Points at the right of a panel at which its columns of figures end, and the least range of accuracies, in percent.
FIGURES_END = (54, 108)
LEAST_RANGE = 0.2


def draw(path: Path, record: Record) -> str | None:
    """Write the picture; return why there is no front of accuracy in it, if there is none.

    ArtifactError if the record has no latencies: nothing was measured, or under emulation.
    """
    if not record.results or record.host.emulated:
        raise ArtifactError(f"{record.folder}: no latencies to draw{', emulated' if record.host.emulated else ''}")
    points = contenders(record.results)
    missing = None if len(points) > 1 else ONE_ACCURACY if points else NO_ACCURACY
    heights = [ROW_INCHES * len(record.results) + 1.2, *([] if missing else [FRONT_INCHES])]
    figure = drawing.new_figure(width=WIDTH_INCHES, height=sum(heights) + 0.4)
    figure.suptitle(f"{record.host.cpu}, {record.host.cores} cores, {record.started[:10]}", fontsize=10, color=FAINT)
    panels = figure.subplots(len(heights), height_ratios=heights, squeeze=False)[:, 0]
    used = {result.runtime for result in record.results}
    styles = {name: style(number) for number, name in enumerate(registry.names("toolkit.runtimes")) if name in used}
    _distributions(panels[0], record.results, styles)
    if not missing:
        texts = _front(panels[1], points, styles)
        figure.draw_without_rendering()
        figure.set_layout_engine("none")  # what is placed by its pixels must not move any more
        labels.place(panels[1], texts)
    drawing.save(figure, path)
    return missing


def _distributions(axes: "Axes", results: Sequence[Result], styles: Mapping[str, Style]) -> None:
    """Draw one row a result: a hill of its latencies, a line from the shortest to the longest, median and p99."""
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    shortest = min(float(result.invoke.samples.min()) for result in results)
    longest = max(float(result.invoke.samples.max()) for result in results)
    low, high = np.log10(shortest) - 0.02, np.log10(longest) + 0.02
    edges = np.logspace(low, high, 2 + int((high - low) * BINS_PER_DECADE))
    figures = []
    for row, result in enumerate(results):
        samples, base = result.invoke.samples, row + 0.35
        counts, _ = np.histogram(samples, edges)
        colour = styles[result.runtime].colour
        axes.stairs(base - 0.75 * counts / counts.max(), edges, baseline=base, fill=True, color=colour)
        axes.plot([samples.min(), samples.max()], [base, base], color=colour, lw=0.8, **LONGEST)
        axes.plot([result.median.value] * 2, [base, base - 0.8], color=INK, lw=1.6)
        p99_s = statistics.percentile(samples, 99) if result.one_by_one else None
        if p99_s is not None:
            axes.plot(p99_s, base - 0.14, **P99)
        figures.append((units.seconds(result.median.value), WITHHELD if p99_s is None else units.seconds(p99_s)))
    axes.set(xscale="log", xlim=(edges[0], edges[-1]), ylim=(len(results) - 0.45, -0.65))
    axes.set_yticks(range(len(results)), map(drawn, names(results)))
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
    _dress(axes, "Latencies", "latency of one inference, logarithmic (each row has a height of its own)")
    _figures(axes, figures)
    _legend(
        axes,
        [
            *(Patch(color=look.colour, label=runtime) for runtime, look in styles.items()),
            Line2D([], [], color=INK, lw=1.6, label="median"),
            *([Line2D([], [], label="p99", **P99)] if any(p99 != WITHHELD for _, p99 in figures) else []),
            Line2D([], [], color=INK, lw=0.8, label="shortest to longest", **LONGEST),
        ],
    )


def _figures(axes: "Axes", rows: Sequence[tuple[str, str]]) -> None:
    for column, heading in enumerate(("median", "p99")):
        for row, text in enumerate((heading, *(figures[column] for figures in rows))):
            axes.annotate(
                text,
                (1, row - 1),
                (FIGURES_END[column], 0),
                xycoords=axes.get_yaxis_transform(),
                textcoords="offset points",
                ha="right",
                va="center",
                weight="normal" if row else "bold",
            )


def _front(axes: "Axes", points: Sequence[Result], styles: Mapping[str, Style]) -> list[labels.Label]:
    """Draw accuracy against latency, the area of a marker being the size of the file; return the labels to place."""
    from matplotlib.lines import Line2D

    best = front(points)
    largest = max(point.size_bytes for point in points)
    texts = []
    by_size = sorted(zip(points, map(drawn, names(points)), strict=True), key=lambda pair: -pair[0].size_bytes)
    for point, name in by_size:  # small ones lie on large ones
        look, area = styles[point.runtime], max(LEAST_AREA, LARGEST_AREA * point.size_bytes / largest)
        at = (point.median.value, 100 * (point.accuracy or 0.0))
        face = look.colour if point in best else "none"
        axes.scatter(*at, s=area, marker=look.marker, facecolor=face, edgecolor=look.colour, alpha=0.8, zorder=3)
        axes.plot(*at, marker=".", color=INK, ms=2.5, zorder=4)
        failed = ", failed verification" if point.parity == Verdict.FAIL else ""
        texts.append(labels.Label(at, area, f"{name}, {units.size(point.size_bytes)}{failed}", bold=point in best))
    _stairs(axes, best)
    latencies = [point.median.value for point in points]
    spread = max(4.0, max(latencies) / min(latencies))  # labels need more room at the right
    axes.set(xscale="log", xlim=(min(latencies) / spread**0.15, max(latencies) * spread**0.35), ylabel="accuracy (%)")
    accuracies = [100 * (point.accuracy or 0.0) for point in points]
    height = max(LEAST_RANGE, max(accuracies) - min(accuracies))
    axes.set_ylim(min(accuracies) - 0.4 * height, min(max(accuracies) + 0.4 * height, 100 + 0.1 * height))
    _dress(axes, "Accuracy, latency and size (area of the marker)", "median latency of one inference, logarithmic")
    _legend(
        axes,
        [
            *(Line2D([], [], label=runtime, **look.points | {"mfc": look.colour}) for runtime, look in styles.items()),
            Line2D([], [], ls="none", marker="o", color=FAINT, label="filled: no other is as good in all three"),
            Line2D([], [], ls="none", marker="o", color=FAINT, mfc="none", label="hollow: another is"),
            Line2D([], [], color=INK, lw=1.0, ls="--", label="front of accuracy and latency"),
        ],
    )
    return texts


def _stairs(axes: "Axes", best: Sequence[Result]) -> None:
    """Draw the front of accuracy and latency: what is above or left of it was not measured."""
    steps: list[tuple[float, float]] = []
    for result in sorted(best, key=lambda r: (r.median.value, -(r.accuracy or 0.0))):
        accuracy = 100 * (result.accuracy or 0.0)
        if not steps or accuracy > steps[-1][1]:
            steps.append((result.median.value, accuracy))
    if len(steps) > 1:
        axes.plot(*zip(*steps, strict=True), color=INK, lw=1.0, ls="--", drawstyle="steps-post", zorder=2)


def _dress(axes: "Axes", title: str, xlabel: str) -> None:
    """Give a panel its title and an axis of latencies in words."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    axes.set_title(title, loc="left", fontweight="bold", pad=22)  # the legend is between title and panel
    axes.set_xlabel(xlabel)
    low, high = axes.get_xlim()
    axes.xaxis.set_major_locator(LogLocator(subs=(1.0,) if high > 20 * low else (1.0, 2.0, 3.0, 5.0, 7.0)))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: units.round_seconds(value)))
    axes.xaxis.set_minor_formatter(NullFormatter())
    drawing.tidy(axes)
    axes.grid(visible=False, axis="y")


def _legend(axes: "Axes", handles: Sequence[Any]) -> None:
    axes.legend(
        handles=handles,
        frameon=False,
        ncols=len(handles),
        loc="lower left",
        bbox_to_anchor=(0, 1),
        borderaxespad=0.2,
        fontsize=FINE,
        handletextpad=0.5,
        columnspacing=1.4,
    )
