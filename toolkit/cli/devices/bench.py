"""``toolkit bench --on``: measure on devices, side by side."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from toolkit import units
from toolkit.cli import devices
from toolkit.cli.bench import tables
from toolkit.cli.bench.records import exit_code
from toolkit.console import Column, Console
from toolkit.errors import ArtifactError, ToolkitError, UsageError

if TYPE_CHECKING:
    from toolkit.bench.record import Record
    from toolkit.bench.schedule import Plan
    from toolkit.remote.fleet import DeviceOutcome


def command(
    console: Console,
    destinations: Sequence[str],
    paths: Sequence[Path],
    plan: "Plan",
    *,
    wheels: Path | None,
    output: Path,
    resume: Path | None,
    strict: bool,
) -> int:
    """Measure on each device and print what each gave; several are held side by side at the end."""
    from toolkit.bench.record import read
    from toolkit.bench.resume import rest
    from toolkit.remote import cargo

    earlier = None
    if resume is not None:
        if len(destinations) > 1:
            raise UsageError("--resume is of the record of one device; name one by --on")
        earlier = replace(read(resume), folder=resume)
        rest(earlier, plan)  # says at once where nothing is left

    outcomes = devices.on_each(
        console,
        destinations,
        cargo.to_bench(paths),
        lambda device: device.bench(plan, output, earlier),
        wheels=wheels,
        what="measuring",
    )
    if len(outcomes) == 1:
        record = _only(outcomes[0])
        _report(console, record)
        console.document({**record.to_json(), "device": outcomes[0].device})
        return exit_code(record, strict=strict)
    for outcome in outcomes:
        console.heading(outcome.device)
        if outcome.result is None:
            console.error(str(outcome.error))
        else:
            _report(console, outcome.result)
    measured = {outcome.device: outcome.result for outcome in outcomes if outcome.result is not None}
    if len(measured) > 1:
        _side_by_side(console, measured)
    console.document({"schema": 1, "command": "bench", "devices": [_document(outcome) for outcome in outcomes]})
    codes = [exit_code(record, strict=strict) for record in measured.values()]
    return max([*codes, *(o.error.exit_code for o in outcomes if o.error)])


def _only(outcome: "DeviceOutcome[Record]") -> "Record":
    record = outcome.result
    if record is None:
        raise outcome.error or ToolkitError(f"{outcome.device}: nothing came of it")
    if not record.results and record.interrupted:
        raise KeyboardInterrupt
    if not record.results:
        raise ArtifactError("; ".join(record.failures.values()))
    return record


def _report(console: Console, record: "Record") -> None:
    tables.report(console, record)
    tables.recommend(console, record)


def _document(outcome: "DeviceOutcome[Record]") -> dict[str, object]:
    found = outcome.result.to_json() if outcome.result else {"error": str(outcome.error)}
    return {"device": outcome.device, **found}


def _side_by_side(console: Console, measured: "dict[str, Record]") -> None:
    """Print the medians of all devices, a column each."""
    rows: dict[tuple[str, ...], dict[str, str]] = {}
    for device, record in measured.items():
        for result in record.to_json()["results"]:
            name = (result["artifact"], result["runtime"], str(result["threads"]), str(result["batch"]))
            median = result["median_s"]
            rows.setdefault(name, {})[device] = "–" if median is None else units.seconds(median)
    console.heading("median of one inference")
    columns = (*tables.NAME_COLUMNS, Column("threads"), Column("batch"), *map(Column, measured))
    console.table(
        columns, [(*name, *(medians.get(device, "–") for device in measured)) for name, medians in rows.items()]
    )
