"""The tables of a benchmark, the machine it was made on, the warnings, and what to ship."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from toolkit import units
from toolkit.console import Column, Console

if TYPE_CHECKING:
    from toolkit.bench.record import Record
    from toolkit.host import Host

NAME_COLUMNS = (Column("artifact", figures=False), Column("runtime", figures=False))
# After the name and the settings that vary.
LATENCY_COLUMNS = (
    Column("size"),
    Column("accuracy"),
    Column("median"),
    Column("95 % interval"),
    Column("p90"),
    Column("p99"),
    Column("speed-up"),
    Column("vs. float32", figures=False),
)
START_COLUMNS = (
    Column("runtime", figures=False),
    Column("end to end"),
    Column("images/s"),
    Column("load"),
    Column("first"),
    Column("cold"),
    Column("peak memory"),
    Column("added"),
)
# From the instant at which a camera's image was due to the output.
PACED_COLUMNS = (
    Column("images"),
    Column("paced median"),
    Column("p90"),
    Column("p99"),
    Column("longest"),
)
# What the headings mean, for whoever has not read the manual.
LATENCY_LEGEND = """\
median: of one inference, input and output not counted; 95 % interval: over processes and blocks.
p90, p99: what 90 %, 99 % of the inferences did not exceed. – : not measured, or withheld (see the warnings).
speed-up: of the median, over the float32 artifact of the same format and setting; at least: by its 95 % interval."""
START_LEGEND = """\
end to end: input set, inference, output read; images/s: by that. load: opening the file. first: the first inference.
cold: from the start of the process to the end of the first inference. added: memory, its runtime not counted."""
PACED_LEGEND = "paced: from the instant at which an image was due to its output, at the pace of a camera."


def report(console: Console, record: "Record") -> None:
    """Print the tables, the machine and the warnings."""
    from toolkit.bench import conditions

    document = record.to_json()
    results = document["results"]
    columns, names = _names(record)
    failed = [(*name, *["–"] * (len(LATENCY_COLUMNS) - 1), "failed") for name in _failed(record, len(columns))]
    console.heading(f"Latency of one inference{_setting(results)}")
    _table(console, (*columns, *LATENCY_COLUMNS), names, [_latency_row(result) for result in results], failed)
    console.legend(LATENCY_LEGEND)
    console.heading("End to end, start and memory")
    _table(console, (*columns, *START_COLUMNS), names, [_start_row(result) for result in results])
    console.legend(START_LEGEND)
    paced = [number for number, result in enumerate(results) if result["paced"]]
    if paced:
        console.heading("At the pace of a camera")
        rows = [_paced_row(results[number]["paced"]) for number in paced]
        _table(console, (*columns, *PACED_COLUMNS), [names[number] for number in paced], rows)
        console.text(PACED_LEGEND)
    console.text()
    host = record.host
    console.text(f"{host.cpu}, {host.arch}, {host.cores} cores{_where(host)}, {host.os}, Python {host.python}")
    for warning, count in Counter(warning for result in results for warning in result["warnings"]).items():
        console.warn(f"{count} of {len(results)} rows: {warning}")
    for artifact, how in {one.path: one.golden for one in record.results if one.golden}.items():
        console.warn(f"{artifact} answers otherwise here than where it was exported, so it is not one to ship: {how}")
    for artifact, note in dict.fromkeys((one.path, note) for one in record.results for note in one.notes):
        console.warn(f"{artifact}: {note}")
    for path, why in record.failures.items():
        console.warn(f"{path} was not measured: {why.removeprefix(f'{path}: ')}")
    turns = sum(result["blocks"] for result in results)
    for reason, count in ({} if host.emulated else record.marked).items():
        console.warn(f"{reason} in {count} of {turns} blocks, which are left in; {conditions.ADVICE[reason]}")
    if record.host.throttled:
        console.warn(f"this machine reports: {', '.join(record.host.throttled)}")
    if record.interrupted:
        console.warn("interrupted: the figures are those of the blocks that were measured")
    console.text(f"record with the raw samples: {record.folder}/")


def recommend(console: Console, record: "Record") -> None:
    """Print what to ship, and why."""
    for choice in record.recommendations:
        threads = "1 thread" if choice["threads"] == 1 else f"{choice['threads']} threads"
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


def _names(record: "Record") -> tuple[tuple[Column, ...], list[tuple[str, ...]]]:
    """Return the columns that tell the rows apart, the name and each setting that varies, and their cells."""
    results = record.results
    settings = {"threads": [r.threads for r in results], "batch": [r.batch for r in results]}
    varied = [heading for heading, values in settings.items() if len(set(values)) > 1]
    columns = (Column("artifact", figures=False), *(Column(heading) for heading in varied))
    names = units.short_names([result.path for result in results])
    return columns, [(name, *(str(settings[h][n]) for h in varied)) for n, name in enumerate(names)]


def _failed(record: "Record", width: int) -> list[tuple[str, ...]]:
    return [(Path(path).name, *["–"] * (width - 1)) for path in record.failures]


def _setting(results: Sequence[dict[str, Any]]) -> str:
    """Say what all rows have in common."""
    threads, batches = ({result[name] for result in results} for name in ("threads", "batch"))
    parts = []
    if len(threads) == 1:
        parts.append(units.count(threads.pop(), "thread"))
    if len(batches) == 1:
        parts.append(units.count(batches.pop(), "image"))
    return f", {', '.join(parts)}" if parts else ""


def _latency_row(result: dict[str, Any]) -> tuple[str, ...]:
    accuracy = "–" if result["accuracy"] is None else units.percent(result["accuracy"])
    if result["golden"]:
        accuracy = "not known here"
    described = (units.size(result["size_bytes"]), accuracy)
    if result["median_s"] is None:
        return (*described, *["–"] * 5, "")
    speedup = result["speedup"]
    return (
        *described,
        units.seconds(result["median_s"]),
        units.interval(*result["median_ci95_s"]),
        "–" if result["p90_s"] is None else units.seconds(result["p90_s"]),
        "–" if result["p99_s"] is None else units.seconds(result["p99_s"]),
        "–" if speedup is None else f"{speedup:.2f}×",
        _verdict(result),
    )


def _verdict(result: dict[str, Any]) -> str:
    from toolkit.bench.statistics import describe
    from toolkit.interval import Interval

    if result["speedup"] is None:
        return result["verdict"] or ""
    return describe(Interval(result["speedup"], *result["speedup_ci95"]))


def _start_row(result: dict[str, Any]) -> tuple[str, ...]:
    if result["median_s"] is None:
        return (result["runtime"], *["–"] * 7)
    memory = (result["peak_rss_bytes"], result["added_rss_bytes"])
    return (
        result["runtime"],
        units.seconds(result["end_to_end_median_s"]),
        f"{result['images_per_s']:,.0f}",
        units.seconds(result["load_s"]),
        units.seconds(result["first_s"]),
        units.seconds(result["cold_s"]),
        *("–" if size is None else units.size(size) for size in memory),
    )


def _paced_row(paced: dict[str, Any]) -> tuple[str, ...]:
    figures = (paced[name] for name in ("median_s", "p90_s", "p99_s", "max_s"))
    times = ("–" if figure is None else units.seconds(figure) for figure in figures)
    return (str(paced["n"]), *times)


def _where(host: "Host") -> str:
    known = (host.model, host.virtual, f"governor {host.governor}" if host.governor else None)
    return "".join(f", {text}" for text in known if text)
