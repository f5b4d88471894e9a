"""``toolkit device verify``: compare by golden on devices, side by side."""

from typing import TYPE_CHECKING

from toolkit import api
from toolkit.cli.options import DeviceOptions, Paths, Printer
from toolkit.cli.verify.tables import EXIT_CODES, GOLDEN_FIGURES, GOLDEN_RULE, golden_row, print_problem
from toolkit.console import Column, Console

if TYPE_CHECKING:
    from toolkit.remote.answer import DeviceParity


def command(*, paths: Paths = None, devices: DeviceOptions, console: Printer) -> int:
    """Show that devices answer as the machine that exported.

    Artifacts are compared with the outputs that golden.npz has, as 'toolkit verify --golden' does it. The exit code is
    that of 'toolkit verify', the highest of all devices.
    """
    with console.steps("verifying") as show:
        outcomes = api.verify_on(devices.on, *(paths or ()), wheels=devices.wheels, on_step=show)
    if len(outcomes) == 1:
        code = _report(console, outcomes[0].require())
        _explain(console)
        console.document(outcomes[0].to_json())
        return code
    codes = [outcome.error.exit_code for outcome in outcomes if outcome.error]
    for outcome in outcomes:
        console.heading(outcome.device)
        if outcome.result is None:
            console.error(str(outcome.error))
        else:
            codes.append(_report(console, outcome.result))
    _explain(console)
    console.document({"schema": 1, "command": "verify", "devices": [outcome.to_json() for outcome in outcomes]})
    return max(codes)


def _report(console: Console, parity: "DeviceParity") -> int:
    """Print what a device found, and return the exit code of its verdict."""
    columns = [Column("artifact", figures=False), *map(Column, GOLDEN_FIGURES), Column("verdict", figures=False)]
    console.table(columns, [golden_row(comparison) for comparison in parity.comparisons])
    for comparison in parity.comparisons:
        print_problem(console, comparison)
    console.text(f"verdict: {parity.verdict}")
    return EXIT_CODES[parity.verdict]


def _explain(console: Console) -> None:
    console.text(f"to pass: {GOLDEN_RULE}")
    for figure, meaning in GOLDEN_FIGURES.items():
        console.text(f"  {figure}: {meaning}")
