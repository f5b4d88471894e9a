"""``toolkit bench``."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from toolkit import units
from toolkit.cli.options import EXPORTED, INTERRUPTED, Debug, Json, Paths
from toolkit.console import Column, Console
from toolkit.errors import ArtifactError, CheckFailedError

if TYPE_CHECKING:
    from toolkit.bench.record import Record
    from toolkit.bench.schedule import Plan
    from toolkit.host import Host

BENCHMARKS = Path("benchmarks")
# Seconds and processes of --thorough.
THOROUGH = (10.0, 10)
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


def command(
    paths: Paths = None,
    threads: Annotated[str, typer.Option(help="Threads of the runtime, or several numbers with commas.")] = "1",
    batch: Annotated[str, typer.Option(help="Images per inference, or several numbers with commas.")] = "1",
    seconds: Annotated[float, typer.Option(help="Measuring time of each configuration, over its processes.")] = 1.0,
    processes: Annotated[int, typer.Option(help="Processes of each configuration, one after the other.")] = 5,
    thorough: Annotated[bool, typer.Option("--thorough", help="10 seconds in 10 processes of each.")] = False,
    rate: Annotated[
        float | None, typer.Option(help="Images a second: also time inferences at the pace of a camera.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Of the order in which configurations take turns.")] = 0,
    max_latency: Annotated[
        str | None, typer.Option(help="Of one inference, of what is recommended: 5ms, 80us.")
    ] = None,
    max_size: Annotated[str | None, typer.Option(help="Of the file that is recommended: 500kB, 1MB.")] = None,
    min_accuracy: Annotated[float | None, typer.Option(help="Of what is recommended, in percent.")] = None,
    strict: Annotated[
        bool, typer.Option("--strict", help="Exit code 1 where something changed on the machine in a block.")
    ] = False,
    output: Annotated[Path, typer.Option(help="The folder that gets a folder per record.")] = BENCHMARKS,
    recompute: Annotated[
        Path | None, typer.Option(help="The folder of a record whose figures are rebuilt from its raw samples.")
    ] = None,
    compare: Annotated[
        tuple[Path, Path] | None, typer.Option(help="The folders of an older and a newer record to hold side by side.")
    ] = None,
    tolerance: Annotated[
        float, typer.Option(help="Of --compare: exit code 1 where one is surely slower by more than this, in percent.")
    ] = 5.0,
    json: Json = False,
    debug: Debug = False,
) -> int:
    """Time artifacts, anybody's, on the installed runtimes of this machine. Exit code 1 where one cannot be."""
    from toolkit.bench.advice import parse_budgets
    from toolkit.bench.schedule import Plan

    console = Console(json_output=json)
    if recompute is not None:
        return _recompute(console, recompute)
    if compare is not None:
        return _compare(console, *compare, tolerance=tolerance / 100)
    if thorough:
        seconds, processes = THOROUGH
    plan = Plan(
        threads=_numbers(threads, "--threads"),
        batches=_numbers(batch, "--batch"),
        seconds=seconds,
        processes=processes,
        rate=rate,
        seed=seed,
        budgets=parse_budgets(max_latency, max_size, min_accuracy),
    )
    record = perform(console, paths or [EXPORTED], plan, output=output)
    if not record.results and record.interrupted:
        raise KeyboardInterrupt
    if not record.results:
        raise ArtifactError("; ".join(record.failures.values()))
    report(console, record)
    recommend(console, record)
    console.document(record.to_json())
    if record.interrupted:
        return INTERRUPTED
    nothing_fits = any(not choice["fits"] for choice in record.recommended())
    return CheckFailedError.exit_code if record.failures or nothing_fits or (strict and record.marked) else 0


def perform(console: Console, paths: Sequence[Path], plan: "Plan", *, output: Path = BENCHMARKS) -> "Record":
    """Measure every artifact with a live display."""
    from toolkit.bench.candidates import select
    from toolkit.bench.schedule import bench, new_folder

    candidates = select(paths, warn=console.warn)
    with console.progress(plan.processes, "measuring") as advance:
        return bench(candidates, new_folder(output), plan, on_step=lambda done, total, what: advance(done, what))


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


def _numbers(text: str, option: str) -> list[int]:
    from toolkit.errors import UsageError

    try:
        return [int(part) for part in text.split(",")]
    except ValueError as error:
        raise UsageError(f"{option} is '{text}'; it must be a whole number, or several with commas") from error


def _recompute(console: Console, folder: Path) -> int:
    from toolkit.bench.record import recompute

    count, differences = recompute(folder)
    for difference in differences:
        console.text(difference)
    verdict = "fail" if differences else "pass"
    console.text(f"{folder}: {count} figures rebuilt from the raw samples, {len(differences)} differences")
    document = {"schema": 1, "command": "bench", "record": str(folder), "figures": count}
    console.document({**document, "differences": differences, "verdict": verdict})
    return CheckFailedError.exit_code if differences else 0


def _compare(console: Console, old: Path, new: Path, *, tolerance: float) -> int:
    from toolkit.bench.compare import compare
    from toolkit.bench.record import read

    same_host, pairs = compare(read(old), read(new))
    if not pairs:
        raise ArtifactError(f"{old} and {new} have no configuration in common")
    columns = (
        *NAME_COLUMNS,
        Column("old"),
        Column("new"),
        Column("speed-up"),
        Column("95 %"),
        Column("", figures=False),
    )
    rows = []
    for pair in pairs:
        medians = (units.seconds(result.median.value) for result in (pair.old, pair.new))
        change = pair.change
        judged = (
            ("–", "–", "")
            if change is None
            else (f"{change.value:.2f}×", f"{change.low:.2f} – {change.high:.2f}", pair.verdict or "")
        )
        rows.append((pair.new.path.name, pair.new.runtime, *medians, *judged))
    console.table(columns, rows)
    slower = [pair for pair in pairs if pair.regressed(tolerance)]
    if same_host:
        console.text(f"{len(slower)} of {len(pairs)} are surely more than {tolerance:.0%} slower")
    else:
        console.text("measured on two machines: side by side, without a verdict")
    console.document(
        {
            "schema": 1,
            "command": "bench",
            "compared": [pair.to_json() for pair in pairs],
            "same_host": same_host,
            "tolerance": tolerance,
            "verdict": "fail" if slower else "pass" if same_host else None,
        }
    )
    return CheckFailedError.exit_code if slower else 0
