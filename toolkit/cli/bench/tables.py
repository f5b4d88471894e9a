"""The tables of a benchmark, the machine it was made on, the warnings, and what to ship."""

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from toolkit import units
from toolkit.console import Column, Console

if TYPE_CHECKING:
    from toolkit.bench.record import Record
    from toolkit.host import Host

NAME_COLUMNS = (Column("artifact", figures=False), Column("runtime", figures=False))
LATENCY_COLUMNS = (
    *NAME_COLUMNS,
    Column("threads"),
    Column("batch"),
    Column("median"),
    Column("95 % interval"),
    Column("p90"),
    Column("p99"),
    Column("speed-up"),
    Column("", figures=False),
)
# From the instant at which a camera's image was due to the output.
PACED_COLUMNS = (
    *NAME_COLUMNS,
    Column("images"),
    Column("paced median"),
    Column("p90"),
    Column("p99"),
    Column("longest"),
)
START_COLUMNS = (
    *NAME_COLUMNS,
    Column("end to end"),
    Column("load"),
    Column("first"),
    Column("cold"),
    Column("peak memory"),
    Column("added"),
)


def report(console: Console, record: "Record") -> None:
    """Print the tables, the machine and the warnings."""
    from toolkit.bench import conditions

    document = record.to_json()
    results = document["results"]
    console.table(LATENCY_COLUMNS, [_latency_row(result) for result in results])
    console.table(START_COLUMNS, [_start_row(result) for result in results])
    if any(result["paced"] for result in results):
        console.table(PACED_COLUMNS, [_paced_row(result) for result in results if result["paced"]])
    host = record.host
    console.text(f"{host.cpu}, {host.arch}, {host.cores} cores{_where(host)}, {host.os}, Python {host.python}")
    for warning, count in Counter(warning for result in results for warning in result["warnings"]).items():
        console.warn(f"{count} of {len(results)}: {warning}")
    for path, why in record.failures.items():
        console.warn(f"{path} was not measured: {why.removeprefix(f'{path}: ')}")
    turns = sum(result["blocks"] for result in results)
    for reason, count in record.marked.items():
        console.warn(f"{reason} in {count} of {turns} blocks, which are left in; {conditions.ADVICE[reason]}")
    if record.host.throttled:
        console.warn(f"this machine reports: {', '.join(record.host.throttled)}")
    if record.interrupted:
        console.warn("interrupted: the figures are those of the blocks that were measured")
    console.text(f"record with the raw samples: {record.folder}/")


def recommend(console: Console, record: "Record") -> None:
    """Print what to ship, and why."""
    for choice in record.recommended():
        threads = "1 thread" if choice["threads"] == 1 else f"{choice['threads']} threads"
        verb = "ship:" if choice["fits"] else "none:"
        console.text(f"{verb}  {choice['artifact']} ({choice['runtime']}, {threads}): {choice['why']}")


def _latency_row(result: dict[str, Any]) -> tuple[str, ...]:
    described = (*_name(result), str(result["threads"]), str(result["batch"]))
    if result["median_s"] is None:
        return (*described, *["–"] * 5, "")
    low, high = result["median_ci95_s"]
    speedup = result["speedup"]
    return (
        *described,
        units.seconds(result["median_s"]),
        f"{units.seconds(low)} – {units.seconds(high)}",
        "–" if result["p90_s"] is None else units.seconds(result["p90_s"]),
        "–" if result["p99_s"] is None else units.seconds(result["p99_s"]),
        "–" if speedup is None else f"{speedup:.2f}×",
        result["verdict"] or "",
    )


def _start_row(result: dict[str, Any]) -> tuple[str, ...]:
    if result["median_s"] is None:
        return (*_name(result), *["–"] * 6)
    memory = (result["peak_rss_bytes"], result["added_rss_bytes"])
    return (
        *_name(result),
        units.seconds(result["end_to_end_median_s"]),
        units.seconds(result["load_s"]),
        units.seconds(result["first_s"]),
        units.seconds(result["cold_s"]),
        *("–" if size is None else units.size(size) for size in memory),
    )


def _where(host: "Host") -> str:
    known = (host.model, host.virtual, f"governor {host.governor}" if host.governor else None)
    return "".join(f", {text}" for text in known if text)


def _paced_row(result: dict[str, Any]) -> tuple[str, ...]:
    figures = (result["paced"][name] for name in ("median_s", "p90_s", "p99_s", "max_s"))
    times = ("–" if figure is None else units.seconds(figure) for figure in figures)
    return (*_name(result), str(result["paced"]["n"]), *times)


def _name(result: dict[str, Any]) -> tuple[str, str]:
    return Path(result["artifact"]).name, result["runtime"]
