"""``toolkit bench``: measure artifacts, and hold what was measured against other times."""

from pathlib import Path
from typing import Annotated

import typer

from toolkit import api, drawing
from toolkit.cli import devices
from toolkit.cli.bench import certificate, live, records, tables, why
from toolkit.cli.devices import On, Wheels
from toolkit.cli.options import EXPORTED, Debug, Json, Paths
from toolkit.console import Console
from toolkit.errors import ArtifactError, UsageError

# Seconds and processes of --thorough.
THOROUGH = (10.0, 10)


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
    certify: Annotated[
        bool, typer.Option("--certify", help="Test the benchmark: hold an artifact against itself, 20 times.")
    ] = False,
    output: Annotated[Path, typer.Option(help="The folder that gets a folder per record.")] = api.BENCHMARKS,
    recompute: Annotated[
        Path | None, typer.Option(help="The folder of a record whose figures are rebuilt from its raw samples.")
    ] = None,
    compare: Annotated[
        tuple[Path, Path] | None, typer.Option(help="The folders of an older and a newer record to hold side by side.")
    ] = None,
    tolerance: Annotated[
        float, typer.Option(help="Of --compare: exit code 1 where one is surely slower by more than this, in percent.")
    ] = 5.0,
    save: Annotated[Path | None, typer.Option(help="A file that gets the document of --json as well.")] = None,
    plot: Annotated[
        Path | None, typer.Option(help="A picture to write, .png or .svg; with --recompute of that record.")
    ] = None,
    explain: Annotated[
        bool, typer.Option("--explain", help="Also show operators, their times, and the share of what the CPU can do.")
    ] = False,
    on: On = None,
    wheels: Wheels = None,
    resume: Annotated[
        Path | None, typer.Option(help="With --on, the folder of a record that was cut off: measure what it lacks.")
    ] = None,
    json: Json = False,
    debug: Debug = False,
) -> int:
    """Time artifacts, anybody's, on the installed runtimes of this machine. Exit code 1 where one cannot be."""
    from toolkit.bench.advice import parse_budgets
    from toolkit.bench.schedule import Plan, PlanOptions

    if save is not None and save.is_dir():
        raise UsageError(f"--save is '{save}', a folder; it must be a file")
    if plot is not None and compare is not None:
        raise UsageError("--plot draws one record; leave out --compare")
    if plot is not None:
        drawing.check(plot)
    console = Console(json_output=json, save=save)
    if recompute is not None:
        return records.recompute(console, recompute, plot)
    if compare is not None:
        return records.compare(console, *compare, tolerance=tolerance)
    if thorough:
        seconds, processes = THOROUGH
    options: PlanOptions = {
        "threads": _numbers(threads, "--threads"),
        "batches": _numbers(batch, "--batch"),
        "seconds": seconds,
        "processes": processes,
        "rate": rate,
        "seed": seed,
        "budgets": parse_budgets(max_latency, max_size, min_accuracy),
    }
    plan = Plan(**options)
    devices.check(on, wheels)
    if on and (certify or explain or plot):
        raise UsageError(
            "--certify, --explain and --plot are of this machine; leave out --on, or run them on the device "
            "(a picture of the record that comes home: --recompute RECORD --plot FILE)"
        )
    if on:
        from toolkit.cli.devices.bench import command as on_devices

        measured = paths or [EXPORTED]
        return on_devices(console, on, measured, plan, wheels=wheels, output=output, resume=resume, strict=strict)
    if resume is not None:
        raise UsageError("--resume goes on with the record of a device; name it by --on")
    if certify:
        certificate.check(plan, explain=explain, plot=plot, strict=strict)
        return certificate.command(console, paths or [EXPORTED], plan, output=output)
    with live.shown(console) as show:
        record = api.bench(*(paths or ()), output=output, explain=explain, on_step=show, **options)
    if not record.results and record.interrupted:
        raise KeyboardInterrupt
    if not record.results and not record.crashed:
        raise ArtifactError("; ".join(record.failures.values()))
    tables.report(console, record)
    why.report(console, record, everything=explain)
    tables.recommend(console, record)
    console.document(record.to_json())
    if plot is not None and record.results:
        records.draw(console, plot, record)
    return records.exit_code(record, strict=strict)


def _numbers(text: str, option: str) -> list[int]:
    try:
        return [int(part) for part in text.split(",")]
    except ValueError as error:
        raise UsageError(f"{option} is '{text}'; it must be a whole number, or several with commas") from error
