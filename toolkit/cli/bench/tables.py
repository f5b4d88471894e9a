"""The tables of a benchmark, the machine it was made on, the warnings, and what to ship."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
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
# What the headings mean, for whoever has not read the manual.
LATENCY_LEGEND = """\
median: of one inference, input and output not counted; 95 % interval: over processes and blocks. It is what users get.
floor: the median of the fastest tenth, ± half of its 95 % interval. What else runs here hardly moves it, so it can be
compared with another day's.
p90, p99: what 90 %, 99 % of the inferences did not exceed. – : not measured, or withheld (see the warnings).
speed-up: over the float32 artifact of the same format and setting, both timed side by side in one process, in blocks
that alternate within milliseconds; at least: by its 95 % interval."""
START_LEGEND = """\
end to end: input set, inference, output read; images/s: by that. load: opening the file. first: the first inference.
cold: from the start of the process to the end of the first inference. added: memory, its runtime not counted."""
PACED_LEGEND = "paced: from the instant at which an image was due to its output, at the pace of a camera."


def report(console: Console, record: "Record") -> None:
    """Print the tables, the machine and the warnings."""
    results = record.results
    varied, names = told_apart(results)
    columns = (*text_columns("artifact"), *figure_columns(*varied))
    failed = [(*name, *["–"] * (len(LATENCY_COLUMNS) - 1), "failed") for name in _failed(record, len(columns))]
    console.heading(f"Latency of one inference{_setting(results)}")
    _table(console, (*columns, *LATENCY_COLUMNS), names, [_latency_row(record, result) for result in results], failed)
    console.legend(LATENCY_LEGEND)
    console.heading("End to end, start and memory")
    _table(console, (*columns, *START_COLUMNS), names, [_start_row(record, result) for result in results])
    console.legend(START_LEGEND)
    paced = [(name, pace) for name, result in zip(names, results, strict=True) if (pace := result.at_pace)]
    if paced and not record.host.emulated:
        console.heading("At the pace of a camera")
        rows = [_paced_row(pace) for _, pace in paced]
        _table(console, (*columns, *PACED_COLUMNS), [name for name, _ in paced], rows)
        console.text(PACED_LEGEND)
    if record.instructions:
        _report_instructions(console, record)
    _report_machine(console, record)
    console.text(f"record with the raw samples: {record.folder}/")


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
    console.text(f"{host.cpu}, {host.arch}, {host.cores} cores{_where(host)}, {host.os}, Python {host.python}")
    warnings = Counter(warning for result in results for warning in record.warnings(result))
    for warning, count in warnings.items():
        console.warn(f"{count} of {len(results)} rows: {warning}")
    for artifact, how in {one.path: one.golden for one in results if one.golden}.items():
        console.warn(f"{artifact} answers differently here than its golden says, so it is not one to ship: {how}")
    for artifact, note in dict.fromkeys((one.path, note) for one in results for note in one.notes):
        console.warn(f"{artifact}: {note}")
    for path, why in record.failures.items():
        console.warn(f"{path} was not measured: {why.removeprefix(f'{path}: ')}")
    turns = sum(result.invoke.lengths.size for result in results)
    for reason, count in ({} if host.emulated else record.marked).items():
        console.warn(f"{reason} in {count} of {turns} blocks, which are left in; {ADVICE[reason]}")
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
    columns: Sequence[Column],
    names: Sequence[tuple[str, ...]],
    rows: Sequence[tuple[str, ...]],
    more: Sequence[tuple[str, ...]] = (),
) -> None:
    """Print a table of one row for each name, and ``more`` whole rows."""
    console.table(columns, [*(name + row for name, row in zip(names, rows, strict=True)), *more])


def told_apart(rows: "Sequence[Result | Row]") -> tuple[list[str], list[tuple[str, ...]]]:
    """Return the settings that vary between rows, and what tells each apart: its name, and its value of each."""
    settings = {"threads": [row.threads for row in rows], "batch": [row.batch for row in rows]}
    varied = [heading for heading, values in settings.items() if len(set(values)) > 1]
    names = units.short_names([row.path for row in rows])
    return varied, [(name, *(str(settings[one][n]) for one in varied)) for n, name in enumerate(names)]


def _failed(record: "Record", width: int) -> list[tuple[str, ...]]:
    return [(Path(path).name, *["–"] * (width - 1)) for path in record.failures]


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

    accuracy = "–" if result.accuracy is None else units.percent(result.accuracy)
    described = (units.size(result.size_bytes), "not known here" if result.golden else accuracy)
    if record.host.emulated:
        return (*described, *["–"] * 6, "")
    speedup = record.speedup(result)
    return (
        *described,
        units.seconds(result.median.value),
        units.interval(result.median.low, result.median.high),
        _floor(result),
        *(_seconds(result.percentiles_s[percent]) for percent in (90, 99)),
        f"{speedup.value:.2f}×" if speedup else "–",
        describe(speedup) if speedup else "baseline" if result.is_baseline else "",
    )


def _floor(result: "Result") -> str:
    """Return the floor with half of its interval, as a share of it."""
    floor = result.floor
    return f"{units.seconds(floor.value)} ±{(floor.high - floor.low) / 2 / floor.value:.1%}"


def _start_row(record: "Record", result: "Result") -> tuple[str, ...]:
    if record.host.emulated:
        return (result.runtime, *["–"] * 7)
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
