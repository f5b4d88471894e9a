"""How fast each artifact is: the distribution of its latencies, the machine, and what disturbed it."""

from collections.abc import Sequence

import numpy as np

from toolkit import units
from toolkit.bench.conditions import ADVICE
from toolkit.bench.record import Record
from toolkit.bench.result import Result, names
from toolkit.bench.statistics import describe
from toolkit.console import Column, figure_columns, text_columns
from toolkit.host import State, describe_throttled
from toolkit.report import svg
from toolkit.report.markup import Markup, code, element, facts, joined, paragraph, table
from toolkit.report.sections.base import Section, command
from toolkit.report.subject import Subject
from toolkit.report.svg import Axis

ORDER, TITLE = 80, "How fast is it?"
WIDTH, HEIGHT = 250.0, 34.0
# Bins of a distribution, over the axis. It reaches a little beyond the quantile of each: a few inferences that were
# disturbed take a hundred times as long, and would leave no room for the others.
BINS = 120
REACHES, BEYOND = 0.97, 1.5
_COLUMNS = (
    *text_columns("artifact", "latencies, logarithmic"),
    *figure_columns("median (95 %)", "p90", "p99", "longest"),
    Column("speed-up", figures=False),
)


def show(subject: Subject) -> Section:
    """Return a row for each result with its figures and its latencies, all on one axis, and the machine."""
    record = subject.record
    samples = [result.invoke.samples for result in record.results]
    low, high = min(float(one.min()) for one in samples), max(float(np.quantile(one, REACHES)) for one in samples)
    axis = Axis(low / 1.05, high * BEYOND, 8.0, WIDTH - 14.0, logarithmic=True)
    named = zip(names(record.results), record.results, strict=True)
    rows = [_row(name, record, result, axis) for name, result in named]
    what = (
        "Hill: how many inferences took that long, each to its own scale. Line: the median. Triangle: the p99. Arrow: "
        "some took longer than the axis reaches. An inference is the runtime's call alone, without input and output."
    )
    ruler = svg.ruler(axis, WIDTH, [units.round_seconds(value) for value in axis.ticks], says="latency")
    drawn = table(_COLUMNS, rows, foot=("", ruler, "", "", "", "", ""))
    machine = (element("h3", "The machine"), _machine(record))
    body = joined([drawn, element("p", what, class_="faint"), *_notes(record), *machine])
    measured = ("--seconds", f"{record.seconds:g}", "--seed", record.seed)
    again = {
        command("record", "check", record.folder): "rebuilds each figure from the raw latencies",
        command("bench", subject.folder, *measured): "measures again",
    }
    return Section(body, again)


def _row(name: str, record: Record, result: Result, axis: Axis) -> Sequence[object]:
    percentiles = result.percentiles_s
    speedup = record.speedup(result)
    median = result.median
    longest = float(result.invoke.samples.max()) if result.one_by_one else None
    return (
        _lines(code(name), result.runtime),
        _hill(name, result, axis),
        _lines(units.seconds(median.value), units.interval(median.low, median.high)),
        *(
            "withheld" if value is None else units.seconds(value)
            for value in (percentiles[90], percentiles[99], longest)
        ),
        "–" if speedup is None else _lines(f"{speedup.value:.2f}×", describe(speedup)),
    )


def _lines(first: str, second: str) -> Markup:
    return joined([first, element("br"), element("span", second, class_="faint")])


def _hill(name: str, result: Result, axis: Axis) -> Markup:
    edges = np.geomspace(axis.low, axis.high, BINS + 1)
    counts, _ = np.histogram(result.invoke.samples, edges)
    filled = np.flatnonzero(counts)
    base, tallest = HEIGHT - 6, HEIGHT - 10
    points: list[tuple[float, float]] = []
    for place in range(filled[0], filled[-1] + 1):
        top = base - tallest * float(counts[place] / counts.max())
        points += [(axis.at(float(edges[place])), top), (axis.at(float(edges[place + 1])), top)]
    outline = [(points[0][0], base), *points, (points[-1][0], base)]
    longest_s = float(result.invoke.samples.max())
    shortest, median, longest = map(axis.at, (float(result.invoke.samples.min()), result.median.value, longest_s))
    parts = [
        svg.line(shortest, base, longest, base, "axis"),
        svg.path(outline, "area0", closed=True),
        svg.line(median, base + 4, median, 2, "ink"),
    ]
    p99_s = result.percentiles_s[99]
    if longest_s > axis.high:
        parts.append(svg.path([(longest + 9, base), (longest, base - 4), (longest, base + 4)], "solid", closed=True))
    if p99_s is not None and p99_s <= axis.high:
        parts.append(svg.marker(2, axis.at(p99_s), base, "solid", radius=3.5))
    says = f"latencies of {name}: median {units.seconds(result.median.value)}"
    return svg.picture(WIDTH, HEIGHT, *parts, says=says, look="strip")


def _notes(record: Record) -> list[Markup]:
    """Return what a reader must know of some of the results, each said once."""
    notes: dict[str, list[str]] = {}
    for name, result in zip(names(record.results), record.results, strict=True):
        for text in (*record.warnings(result), *result.notes, *([result.golden] if result.golden else [])):
            notes.setdefault(text, []).append(name)
    everywhere = len(record.results)
    said = [f"{'all' if len(which) == everywhere else ', '.join(which)}: {text}" for text, which in notes.items()]
    failed = [f"{path} could not be measured: {why}" for path, why in record.failures.items()]
    return [element("ul", *(element("li", text) for text in (*said, *failed)))] if said or failed else []


def _machine(record: Record) -> Markup:
    host = record.host
    about: dict[str, object] = {
        "CPU": f"{host.cpu}, {units.count(host.cores, 'core')}, {host.arch}",
        "instruction sets": host.kernels or "not known",
        "system": ", ".join(filter(None, (host.model, host.os, f"Python {host.python}", host.virtual))),
        "measured": f"{record.started}, {record.seconds:g} s each, in turns",
        "versions": ", ".join(f"{name} {version}" for name, version in record.versions.items()) or "not known",
    }
    for when, state in (("before", record.before), ("after", record.after)):
        if state is not None:
            about[f"state {when}"] = _state(state)
    turns = sum(int(result.invoke.lengths.size) for result in record.results)
    disturbed = [f"{why} in {count:,} of {turns:,} turns: {ADVICE[why]}" for why, count in record.marked.items()]
    about["disturbances"] = "; ".join(disturbed) or "none was seen"
    left_in = [paragraph("Disturbed turns are left in: they happen to users too.")] if disturbed else []
    return joined([facts(about), *left_in])


def _state(state: State) -> str:
    """Return what may change on a machine in words, as far as its system tells."""
    known = {
        "clock": state.clock_hz and f"{state.clock_hz / 1e9:.2f} GHz",
        "governor": state.governor,
        "temperature": state.temperature_c and f"{state.temperature_c:.0f} °C",
        "load": state.load,
        "running threads": state.running,
        "taken by the hypervisor since the start": state.steal_s and units.seconds(state.steal_s),
        "power and heat": ", ".join(describe_throttled(state.throttled)),
    }
    return ", ".join(f"{name} {value}" for name, value in known.items() if value not in (None, ""))
