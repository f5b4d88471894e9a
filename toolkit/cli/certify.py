"""``toolkit certify``: what the benchmark says of an artifact and of slowed copies of it."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from toolkit import api, units
from toolkit.cli.options import BENCHMARKS, EXPORTED, MeasuringOptions, Printer, Records
from toolkit.console import Column, Console, figure_columns
from toolkit.verdict import Verdict

if TYPE_CHECKING:
    from toolkit.bench.certify import Certificate

COLUMNS = (
    *figure_columns(
        "planted slow-down",
        "found (median)",
        "± (median)",
        "called slower",
        "called faster",
        "interval holds the truth",
    ),
    Column("", figures=False),
)


def command(
    *,
    path: Annotated[Path, typer.Argument(help="An artifact, or a folder whose smallest is taken.")] = EXPORTED,
    measuring: MeasuringOptions,
    output: Records = BENCHMARKS,
    console: Printer,
) -> int:
    """Test the benchmark: which slow-downs can it see here?

    It times an artifact beside itself and beside slowed copies of itself, for less than three minutes. The exit code is
    1 if it calls the artifact different from itself, misses a slow-down, or misses the truth more often than it may.
    """
    with console.steps("certifying") as show:
        certificate = api.certify(path, output=output, on_step=show, **vars(measuring))
    _report(console, certificate)
    console.text(f"certificate: {certificate.path}, with the raw samples beside it")
    return console.end(certificate.to_json(), passed=certificate.passed)


def _report(console: Console, certificate: "Certificate") -> None:
    from toolkit.bench.certify import DETECTABLE, LEAST_COVERED, MOST_FALSE, POWER, TRIALS

    rows = [
        (
            units.percent(one.share) if one.share else "none",
            f"{one.measured:+.2%}",
            units.percent(one.half_width),
            f"{one.detected} of {TRIALS}",
            f"{one.called_different - one.detected} of {TRIALS}",
            f"{one.covered} of {TRIALS}",
            Verdict.from_passed(one.passed),
        )
        for one in certificate.planted
    ]
    console.text(f"{certificate.artifact} beside itself and beside slowed copies of itself, in {TRIALS} trials")
    console.table(COLUMNS, rows)
    each, every = certificate.processes
    console.text(
        f"each trial: {each} of {every} processes, drawn at random; {certificate.independent} trials could be made "
        "without using a process twice"
    )
    powers = ", ".join(f"{share:.0%} seen in at least {power:.0%}" for share, power in POWER.items())
    console.text(
        f"required: called different from itself in at most {MOST_FALSE:.0%} of trials, {powers}, the truth held in "
        f"at least {LEAST_COVERED:.0%}"
    )
    if certificate.detectable is None:
        told = f"no planted slow-down was seen in {DETECTABLE:.0%} of the trials: measure longer (--seconds)"
    else:
        seen = f"seen in at least {DETECTABLE:.0%} of the trials"
        told = f"this machine can tell a slow-down of {certificate.detectable:.0%} ({seen})"
    rest = "" if certificate.passed else "not all that is required holds; "
    console.text(f"{Verdict.from_passed(certificate.passed)}: {rest}{told}")
