"""``toolkit bench --on``: measure on devices, side by side."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from toolkit import units
from toolkit.cli import devices
from toolkit.cli.bench import ending, tables
from toolkit.console import Column, Console
from toolkit.errors import ToolkitError, UsageError

if TYPE_CHECKING:
    from toolkit.bench.record import Record
    from toolkit.bench.schedule import PlanOptions
    from toolkit.remote.fleet import DeviceOutcome


def measure(
    console: Console,
    destinations: Sequence[str],
    paths: Sequence[Path],
    options: "PlanOptions",
    *,
    wheels: Path | None,
    output: Path,
    resume: Path | None,
    strict: bool,
) -> int:
    """Measure on each device, print what each gave, several side by side at the end, and return the exit code."""
    from toolkit.bench.record import read
    from toolkit.bench.resume import rest
    from toolkit.bench.schedule import Plan
    from toolkit.remote import cargo

    plan, earlier = Plan(**options), None
    if resume is not None:
        if len(destinations) > 1:
            raise UsageError("--resume is of the record of one device; name one by --on")
        earlier = replace(read(resume), folder=resume)
        rest(earlier, plan)  # says at once if nothing is left

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
        return ending.exit_code(record, strict=strict)
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
    codes = [ending.exit_code(record, strict=strict) for record in measured.values()]
    return max([*codes, *(o.error.exit_code for o in outcomes if o.error)])


def _only(outcome: "DeviceOutcome[Record]") -> "Record":
    record = outcome.result
    if record is None:
        raise outcome.error or ToolkitError(f"{outcome.device}: nothing came of it")
    ending.require_results(record)
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
        for result in record.results:
            name = (str(result.path), result.runtime, str(result.threads), str(result.batch))
            median = "–" if record.host.emulated else units.seconds(result.median.value)
            rows.setdefault(name, {})[device] = median
    console.heading("median of one inference")
    columns = (*tables.NAME_COLUMNS, Column("threads"), Column("batch"), *map(Column, measured))
    console.table(
        columns, [(*name, *(medians.get(device, "–") for device in measured)) for name, medians in rows.items()]
    )
