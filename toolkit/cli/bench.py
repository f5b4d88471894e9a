"""``toolkit bench``."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from toolkit import units
from toolkit.cli.options import EXPORTED, Debug, Json, Paths
from toolkit.console import Column, Console
from toolkit.errors import ArtifactError

if TYPE_CHECKING:
    from toolkit.bench.record import Record

BENCHMARKS = Path("benchmarks")
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
START_COLUMNS = (*NAME_COLUMNS, Column("end to end"), Column("load"), Column("first"), Column("peak memory"))


def command(
    paths: Paths = None,
    threads: Annotated[str, typer.Option(help="Threads of the runtime, or several numbers with commas.")] = "1",
    batch: Annotated[str, typer.Option(help="Images per inference, or several numbers with commas.")] = "1",
    seconds: Annotated[float, typer.Option(help="Measuring time of each configuration.")] = 1.0,
    output: Annotated[Path, typer.Option(help="The folder that gets a folder per record.")] = BENCHMARKS,
    json: Json = False,
    debug: Debug = False,
) -> int:
    """Time artifacts, anybody's, on the installed runtimes of this machine."""
    console = Console(json_output=json)
    record = perform(
        console,
        paths or [EXPORTED],
        threads=_numbers(threads, "--threads"),
        batches=_numbers(batch, "--batch"),
        seconds=seconds,
        output=output,
    )
    if not record.results:
        raise ArtifactError("; ".join(record.failures.values()))
    report(console, record)
    recommend(console, record)
    console.document(record.to_json())
    return ArtifactError.exit_code if record.failures else 0


def perform(
    console: Console,
    paths: Sequence[Path],
    *,
    threads: Sequence[int] = (1,),
    batches: Sequence[int] = (1,),
    seconds: float = 1.0,
    output: Path = BENCHMARKS,
) -> "Record":
    """Measure every artifact with a live display."""
    from toolkit.bench.schedule import bench, new_folder, select

    candidates = select(paths, warn=console.warn)
    with console.progress(len(candidates) * len(threads) * len(batches), "measuring") as advance:
        return bench(
            candidates,
            new_folder(output),
            threads=threads,
            batches=batches,
            seconds=seconds,
            on_result=advance,
        )


def report(console: Console, record: "Record") -> None:
    """Print the tables, the machine and the warnings."""
    document = record.to_json()
    results = document["results"]
    console.table(LATENCY_COLUMNS, [_latency_row(result) for result in results])
    console.table(START_COLUMNS, [_start_row(result) for result in results])
    host = record.host
    console.text(f"{host.cpu}, {host.arch}, {host.cores} cores, {host.os}, Python {host.python}")
    for warning, count in Counter(warning for result in results for warning in result["warnings"]).items():
        console.warn(f"{count} of {len(results)}: {warning}")
    for path, why in record.failures.items():
        console.warn(f"{path} was not measured: {why}")
    console.text(f"record with the raw samples: {record.folder}/")


def recommend(console: Console, record: "Record") -> None:
    """Print what to ship, and why."""
    for choice in record.recommended():
        threads = "1 thread" if choice["threads"] == 1 else f"{choice['threads']} threads"
        console.text(f"ship:  {choice['artifact']} ({choice['runtime']}, {threads}): {choice['why']}")


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
        return (*_name(result), *["–"] * 4)
    memory = result["peak_rss_bytes"]
    return (
        *_name(result),
        units.seconds(result["end_to_end_median_s"]),
        units.seconds(result["load_s"]),
        units.seconds(result["first_s"]),
        "–" if memory is None else units.size(memory),
    )


def _name(result: dict[str, Any]) -> tuple[str, str]:
    return Path(result["artifact"]).name, result["runtime"]


def _numbers(text: str, option: str) -> list[int]:
    from toolkit.errors import UsageError

    try:
        return [int(part) for part in text.split(",")]
    except ValueError as error:
        raise UsageError(f"{option} is '{text}'; it must be a whole number, or several with commas") from error
