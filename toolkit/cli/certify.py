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
            units.percent(one.measured, "+.2f"),
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
    powers = ", ".join(f"{_whole(share)} seen in at least {_whole(power)}" for share, power in POWER.items())
    console.text(
        f"required: called different from itself in at most {_whole(MOST_FALSE)} of trials, {powers}, the truth held "
        f"in at least {_whole(LEAST_COVERED)}"
    )
    if certificate.detectable is None:
        told = f"no planted slow-down was seen in {_whole(DETECTABLE)} of the trials: measure longer (--seconds)"
    else:
        seen = f"seen in at least {_whole(DETECTABLE)} of the trials"
        told = f"this machine can tell a slow-down of {_whole(certificate.detectable)} ({seen})"
    rest = "" if certificate.passed else "not all that is required holds; "
    console.text(f"{Verdict.from_passed(certificate.passed)}: {rest}{told}")


def _whole(share: float) -> str:
    return units.percent(share, ".0f")
