"""``toolkit verify --on``: compare by golden on devices, side by side."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from toolkit.cli import devices
from toolkit.cli.verify.tables import EXIT_CODES, GOLDEN_FIGURES, GOLDEN_RULE, golden_row, print_problem
from toolkit.console import Column, Console
from toolkit.errors import ToolkitError

if TYPE_CHECKING:
    from toolkit.remote.answer import DeviceParity


def verify(console: Console, destinations: Sequence[str], paths: Sequence[Path], *, wheels: Path | None) -> int:
    """Verify on each device, and print what each found."""
    from toolkit.remote import cargo

    outcomes = devices.on_each(
        console,
        destinations,
        cargo.to_verify(paths),
        lambda device: device.verify(),
        wheels=wheels,
        what="verifying",
    )
    if len(outcomes) == 1:
        (outcome,) = outcomes
        if outcome.result is None:
            raise outcome.error or ToolkitError(f"{outcome.device}: nothing came of it")
        code = _report(console, outcome.result)
        _explain(console)
        console.document({**outcome.result.to_json(), "device": outcome.device})
        return code
    codes = [outcome.error.exit_code for outcome in outcomes if outcome.error]
    for outcome in outcomes:
        console.heading(outcome.device)
        if outcome.result is None:
            console.error(str(outcome.error))
        else:
            codes.append(_report(console, outcome.result))
    _explain(console)
    found = [{"device": o.device, **(o.result.to_json() if o.result else {"error": str(o.error)})} for o in outcomes]
    console.document({"schema": 1, "command": "verify", "devices": found})
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
