"""``toolkit device bench``: measure on devices, side by side."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from toolkit import api, units
from toolkit.cli.bench import BudgetOptions, PlanningOptions, Strict, ending, report, tables
from toolkit.cli.options import BENCHMARKS, REMOTE, DeviceOptions, Paths, Printer, Records, option
from toolkit.console import Column, Console

if TYPE_CHECKING:
    from toolkit.bench.plan import PlanOptions
    from toolkit.bench.record import Record

Resume = Annotated[
    Path | None, option(REMOTE, "The folder of a record that was cut off: measure what it lacks, on the same device.")
]


def command(
    *,
    paths: Paths = None,
    devices: DeviceOptions,
    resume: Resume = None,
    planning: PlanningOptions,
    recommended: BudgetOptions,
    strict: Strict = False,
    output: Records = BENCHMARKS,
    console: Printer,
) -> int:
    """Time artifacts on devices, and say which one to ship on each.

    The exit code is that of 'toolkit bench', the highest of all devices.
    """
    plan: PlanOptions = {**planning.plan, "budgets": recommended.budgets}
    with console.steps("measuring") as show:
        outcomes = api.bench_on(
            devices.on, *(paths or ()), output=output, resume=resume, wheels=devices.wheels, on_step=show, **plan
        )
    if len(outcomes) == 1:
        record = outcomes[0].require()
        ending.require_results(record)
        report(console, record)
        tables.recommend(console, record)
        console.document(outcomes[0].to_json())
        return ending.exit_code(record, strict=strict)
    for outcome in outcomes:
        console.heading(outcome.device)
        if outcome.result is None:
            console.error(str(outcome.error))
        else:
            report(console, outcome.result)
            tables.recommend(console, outcome.result)
    measured = {outcome.device: outcome.result for outcome in outcomes if outcome.result is not None}
    if len(measured) > 1:
        _side_by_side(console, measured)
    console.document({"schema": 1, "command": "bench", "devices": [outcome.to_json() for outcome in outcomes]})
    codes = [ending.exit_code(record, strict=strict) for record in measured.values()]
    return max([*codes, *(o.error.exit_code for o in outcomes if o.error)])


def _side_by_side(console: Console, measured: "dict[str, Record]") -> None:
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
