"""``toolkit verify --on``: compare by golden on devices, side by side."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from toolkit.cli import devices
from toolkit.cli.verify.tables import EXIT_CODES, GOLDEN_FIGURES, GOLDEN_RULE, golden_row
from toolkit.console import Column, Console
from toolkit.errors import ToolkitError


def verify(console: Console, destinations: Sequence[str], paths: Sequence[Path], *, wheels: Path | None) -> int:
    """Verify on each device, and print what each found."""
    from toolkit.remote import cargo

    outcomes = devices.on_each(
        console,
        destinations,
        cargo.to_verify(paths),
        lambda device: device.verify(),
        _report,
        wheels=wheels,
        what="verifying",
    )
    if len(outcomes) == 1:
        (outcome,) = outcomes
        if outcome.result is None:
            raise outcome.error or ToolkitError(f"{outcome.device}: nothing came of it")
        code = _report(console, outcome.result)
        _explain(console)
        console.document({**outcome.result, "device": outcome.device})
        return code
    codes = [outcome.error.exit_code for outcome in outcomes if outcome.error]
    for outcome in outcomes:
        console.heading(outcome.device)
        if outcome.result is None:
            console.error(str(outcome.error))
        else:
            codes.append(_report(console, outcome.result))
    _explain(console)
    found = [{"device": o.device, **(o.result or {"error": str(o.error)})} for o in outcomes]
    console.document({"schema": 1, "command": "verify", "devices": found})
    return max(codes)


def _report(console: Console, document: dict[str, Any]) -> int:
    """Print what a device found, and return the exit code of its verdict."""
    results = document["results"]
    columns = [Column("artifact", figures=False), *map(Column, GOLDEN_FIGURES), Column("verdict", figures=False)]
    console.table(columns, [golden_row(result) for result in results])
    for result in results:
        if result["problem"]:
            cause = f" ({result['cause']})" if result.get("cause") else ""
            console.text(f"{result['artifact']}: {result['problem'].removeprefix(result['artifact'] + ': ')}{cause}")
    console.text(f"verdict: {document['verdict']}")
    return EXIT_CODES[document["verdict"]]


def _explain(console: Console) -> None:
    console.text(f"to pass: {GOLDEN_RULE}")
    for figure, meaning in GOLDEN_FIGURES.items():
        console.text(f"  {figure}: {meaning}")
