"""``toolkit doctor``."""

from typing import TYPE_CHECKING

from toolkit import __version__, api, host, units
from toolkit.cli.options import Paths, Printer
from toolkit.console import Column, Console, text_columns

if TYPE_CHECKING:
    from toolkit.doctor.files import File
    from toolkit.doctor.report import DoctorReport, Machine

PART_COLUMNS = text_columns("part", "state", "what it is")
FILE_COLUMNS = (Column("file", figures=False), Column("size"), Column("sha256"), Column("state", figures=False))
DATA_COLUMNS = text_columns("data set", "where")
UNTOLD = "not told by the system"


def command(*, paths: Paths = None, console: Printer) -> int:
    """Show what works here, and how to mend what does not.

    The exit code is 1 if something is broken.
    """
    with console.steps("trying") as show:
        report = api.doctor(*(paths or ()), on_step=show)
    _print_machine(console, report.machine)
    same = sum(package.installed == package.tested for package in report.packages)
    console.text(f"versions: {same} of {len(report.packages)} installed packages are of the version that is tested")
    _print_parts(console, report)
    return console.end(report.to_json(), passed=report)


def _print_machine(console: Console, machine: "Machine") -> None:
    here, state = machine.host, machine.state
    console.text(f"toolkit {__version__}, Python {here.python} ({host.bits()}-bit), {here.os}")
    emulated = ["emulated"] if here.emulated else []
    known = [text for text in (here.model, here.cpu, here.arch, f"{here.cores} cores", here.virtual) if text]
    console.text(f"machine: {', '.join([*known, *emulated])}")
    has = [name for name, there in machine.instruction_sets.items() if there]
    lacks = [name for name, there in machine.instruction_sets.items() if not there]
    told = (", ".join(has) or "none of those that matter") + (f"; not {', '.join(lacks)}" if lacks else "")
    console.text(f"instruction sets: {told if machine.instruction_sets else UNTOLD}")
    conditions = [
        f"governor {state.governor or UNTOLD}",
        f"clock {f'{state.clock_hz / 1e9:.2f} GHz' if state.clock_hz else UNTOLD}",
        f"temperature {f'{state.temperature_c:.1f} °C' if state.temperature_c is not None else UNTOLD}",
        f"load {state.load if state.load is not None else UNTOLD}",
    ]
    console.text(f"conditions: {', '.join(conditions)}")
    power = UNTOLD if state.throttled is None else ", ".join(here.throttled) or "nothing since boot"
    console.text(f"throttling and power supply: {power}")
    console.text(
        f"memory: {_size(here.memory_bytes)}, {_size(machine.available_memory_bytes)} available; "
        f"disk: {units.size(machine.disk_bytes)}, {units.size(machine.free_disk_bytes)} free"
    )


def _size(value_bytes: int | None) -> str:
    return UNTOLD if value_bytes is None else units.size(value_bytes)


def _state(file: "File") -> str:
    return "broken" if file.problem else "fails here" if file.golden else "ok"


def _print_parts(console: Console, report: "DoctorReport") -> None:
    console.table(PART_COLUMNS, [(one.part, one.finding.state, one.finding.text) for one in report.probes])
    if report.files:
        rows = [(str(file.path), units.size(file.size_bytes), file.sha256[:12], _state(file)) for file in report.files]
        console.table(FILE_COLUMNS, rows)
    else:
        console.text("no artifacts here; 'toolkit export' makes them")
    if report.data:
        places = [(name, str(place or "not on this machine")) for name, place in report.data.items()]
        console.table(DATA_COLUMNS, places)
    for finding in report.findings:
        named = finding.text.startswith(finding.name)
        console.text(f"{finding.state}: {finding.text if named else f'{finding.name}: {finding.text}'}")
        if finding.remedy:
            console.text(f"  to mend it: {finding.remedy}")
    console.text(f"verdict: {report.verdict}")
