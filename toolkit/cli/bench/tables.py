"""The tables of a benchmark, the machine it was made on, the warnings, and what to ship."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from toolkit import units
from toolkit.console import Column, Console, figure_columns, text_columns

if TYPE_CHECKING:
    from toolkit.bench.progress import Row
    from toolkit.bench.record import Record
    from toolkit.bench.result import Paced, Result
    from toolkit.host import Host

NAME_COLUMNS = text_columns("artifact", "runtime")
# After the name and the settings that vary.
LATENCY_COLUMNS = (
    *figure_columns("size", "accuracy", "median", "95 % interval", "floor", "p90", "p99", "speed-up"),
    Column("vs. float32", figures=False),
)
RATIO_COLUMNS = (Column("speed-up"), Column("95 %"), Column("", figures=False))
START_COLUMNS = (
    Column("runtime", figures=False),
    *figure_columns("end to end", "images/s", "load", "first", "cold", "peak memory", "added"),
)
# From the instant at which a camera's image was due to the output.
PACED_COLUMNS = figure_columns("images", "paced median", "p90", "p99", "longest")
INSTRUCTION_COLUMNS = (*NAME_COLUMNS, *figure_columns("instructions", "vs. float32"), *text_columns("counted by"))
# What an artifact is, where nothing was timed.
EMULATED_COLUMNS = (*text_columns("runtime"), *figure_columns("size", "accuracy"))
# What the headings mean, for whoever has not read the manual: each stands below the table that has such a column.
LATENCY_LEGEND = {
    "median": """\
median: of one inference, input and output not counted; what users get. 95 % interval: over processes and blocks.
– : not measured, or withheld (see the warnings).""",
    "floor": """\
floor: the median of the fastest tenth, ± half of its 95 % interval. What else runs here hardly moves it, so it can be
compared with another day's.""",
    "p90": "p90, p99: what 90 %, 99 % of the inferences did not exceed.",
    "speed-up": """\
speed-up: over the float32 artifact of the same format and setting, both timed side by side in one process, in blocks
that alternate within milliseconds; at least: by its 95 % interval.""",
}
NO_SPEEDUP = """\
no speed-up where no float32 artifact of the same export and setting was measured; 'toolkit compare A B' times any two
files side by side."""
START_LEGEND = {
    "end to end": """\
end to end: input set, inference, output read; images/s: by that. load: opening the file. first: the first inference.
cold: from the start of the process to the end of the first inference. added: memory, its runtime not counted.""",
}
PACED_LEGEND = {"images": "paced: from the instant at which an image was due to its output, at the pace of a camera."}
# Cells that say nothing.
EMPTY = {"–", ""}


def report(console: Console, record: "Record") -> None:
    """Print the tables, the machine and the warnings."""
    varied, names = told_apart(record.results)
    named = list(zip(names, record.results, strict=True))
    columns = (*text_columns("artifact"), *figure_columns(*varied))
    if record.host.emulated:
        heading = "Each ran once: this machine is emulated, and its times are no latencies"
        rows = [(*name, result.runtime, *_described(result)) for name, result in named]
        _table(console, heading, (*columns, *EMULATED_COLUMNS), rows, failed=record.failures)
    else:
        _report_times(console, record, columns, named)
    if record.instructions:
        _report_instructions(console, record)
    _report_machine(console, record)
    console.text(f"record with the raw samples: {record.folder}/")


def _report_times(
    console: Console, record: "Record", columns: Sequence[Column], named: "Sequence[tuple[tuple[str, ...], Result]]"
) -> None:
    rows = [(*name, *_latency_row(record, result)) for name, result in named]
    heading = f"Latency of one inference{_setting(record.results)}"
    _table(console, heading, (*columns, *LATENCY_COLUMNS), rows, LATENCY_LEGEND, failed=record.failures)
    if not all(result.is_baseline or record.baseline(result) for result in record.results):
        console.legend(NO_SPEEDUP)
    starts = [(*name, *_start_row(result)) for name, result in named]
    _table(console, "End to end, start and memory", (*columns, *START_COLUMNS), starts, START_LEGEND)
    paced = [(*name, *_paced_row(pace)) for name, result in named if (pace := result.at_pace)]
    _table(console, "At the pace of a camera", (*columns, *PACED_COLUMNS), paced, PACED_LEGEND)


def _report_instructions(console: Console, record: "Record") -> None:
    """Print what was counted of each artifact, and by how much it is less than of its float32 original."""
    console.heading("Instructions of one inference, 1 thread, 1 image")
    rows = []
    for path, counted in record.instructions.items():
        result = next(result for result in record.results if result.path == path)
        baseline = record.baseline(result)
        original = record.instructions.get(baseline.path) if baseline else None
        times = f"{counted.count / original.count:.3f}×" if original else "–"
        rows.append((path.name, counted.runtime, f"{counted.count:,}", times, counted.where))
    console.table(INSTRUCTION_COLUMNS, rows)


def _report_machine(console: Console, record: "Record") -> None:
    """Print the machine, and what a reader of the tables must know."""
    from toolkit.bench.conditions import ADVICE

    results, host = record.results, record.host
    console.text()
    console.text(
        f"{host.cpu}, {host.arch}, {units.count(host.cores, 'core')}{_where(host)}, {host.os}, Python {host.python}"
    )
    warnings = Counter(warning for result in results for warning in record.warnings(result))
    for warning, count in warnings.items():
        console.warn(f"{count} of {len(results)} rows: {warning}")
    for artifact, how in {one.path: one.golden for one in results if one.golden}.items():
        console.warn(f"{artifact} answers differently here than its golden says, so it is not one to ship: {how}")
    for artifact, note in dict.fromkeys((one.path, note) for one in results for note in one.notes):
        console.warn(f"{artifact}: {note}")
    for path, why in record.failures.items():
        console.warn(f"{path} was not measured: {why.removeprefix(f'{path}: ')}")
    blocks = sum(result.invoke.lengths.size for result in results)
    for reason, count in ({} if host.emulated else record.marked).items():
        console.warn(f"{reason} in {count} of {blocks} blocks, which are left in; {ADVICE[reason]}")
    if host.throttled:
        console.warn(f"this machine reports: {', '.join(host.throttled)}")
    if record.interrupted:
        console.warn("interrupted: the figures are those of the blocks that were measured")


def recommend(console: Console, record: "Record") -> None:
    """Print what to ship, and why."""
    for choice in record.recommendations:
        threads = units.count(choice["threads"], "thread")
        verb = "ship:" if choice["fits"] else "none:"
        console.text(f"{verb}  {choice['artifact']} ({choice['runtime']}, {threads}): {choice['why']}")


def _table(
    console: Console,
    heading: str,
    columns: Sequence[Column],
    rows: Sequence[tuple[str, ...]],
    legend: Mapping[str, str] = MappingProxyType({}),
    *,
    failed: Iterable[str] = (),
) -> None:
    """Print a table without the columns that say nothing, and what the others mean; nothing without a row.

    legend: by the heading of a column. failed: paths of artifacts that get a row of their own.
    """
    every = [*rows, *((Path(path).name, *["–"] * (len(columns) - 2), "failed") for path in failed)]
    filled = [
        (column, cells)
        for column, cells in zip(columns, zip(*every, strict=True), strict=bool(every))
        if not EMPTY.issuperset(cells)
    ]
    if filled:
        console.heading(heading)
        console.table([column for column, _ in filled], list(zip(*(cells for _, cells in filled), strict=True)))
        console.legend("\n".join(legend[column.heading] for column, _ in filled if column.heading in legend))


def told_apart(rows: "Sequence[Result | Row]") -> tuple[list[str], list[tuple[str, ...]]]:
    """Return the settings that vary between rows, and what tells each apart: its name, and its value of each."""
    settings = {"threads": [row.threads for row in rows], "batch": [row.batch for row in rows]}
    varied = [heading for heading, values in settings.items() if len(set(values)) > 1]
    names = units.short_names([row.path for row in rows])
    return varied, [(name, *(str(settings[one][n]) for one in varied)) for n, name in enumerate(names)]


def _setting(results: Sequence["Result"]) -> str:
    """Say what all rows have in common."""
    threads, batches = {result.threads for result in results}, {result.batch for result in results}
    parts = []
    if len(threads) == 1:
        parts.append(units.count(threads.pop(), "thread"))
    if len(batches) == 1:
        parts.append(units.count(batches.pop(), "image"))
    return f", {', '.join(parts)}" if parts else ""


def _latency_row(record: "Record", result: "Result") -> tuple[str, ...]:
    from toolkit.bench.statistics import describe

    speedup = record.speedup(result)
    return (
        *_described(result),
        units.seconds(result.median.value),
        units.interval(result.median.low, result.median.high),
        _floor(result),
        *(_seconds(result.percentiles_s[percent]) for percent in (90, 99)),
        f"{speedup.value:.2f}×" if speedup else "–",
        describe(speedup) if speedup else "baseline" if result.is_baseline else "",
    )


def _described(result: "Result") -> tuple[str, str]:
    accuracy = "–" if result.accuracy is None else units.percent(result.accuracy)
    return units.size(result.size_bytes), "not known here" if result.golden else accuracy


def _floor(result: "Result") -> str:
    """Return the floor with half of its interval, as a share of it."""
    floor = result.floor
    return f"{units.seconds(floor.value)} ±{units.percent((floor.high - floor.low) / 2 / floor.value, '.1f')}"


def _start_row(result: "Result") -> tuple[str, ...]:
    return (
        result.runtime,
        units.seconds(result.end_to_end_median.value),
        f"{result.images_per_s:,.0f}",
        units.seconds(result.load_s),
        units.seconds(result.first_s),
        units.seconds(result.cold_s),
        *("–" if size is None else units.size(size) for size in (result.peak_rss_bytes, result.added_rss_bytes)),
    )


def _paced_row(paced: "Paced") -> tuple[str, ...]:
    times = (paced.median_s, paced.percentiles_s[90], paced.percentiles_s[99], paced.max_s)
    return (str(paced.n), *map(_seconds, times))


def _seconds(value_s: float | None) -> str:
    return "–" if value_s is None else units.seconds(value_s)


def _where(host: "Host") -> str:
    known = (host.model, host.virtual, f"governor {host.governor}" if host.governor else None)
    return "".join(f", {text}" for text in known if text)
