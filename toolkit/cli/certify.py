"""``toolkit certify``: what the benchmark says of an artifact and of slowed copies of it."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from toolkit import api, units
from toolkit.cli.options import BENCHMARKS, EXPORTED, THOROUGH, Debug, Json, Processes, Records, Seconds, Seed, Thorough
from toolkit.console import Column, Console
from toolkit.errors import CheckFailedError
from toolkit.verdict import Verdict

if TYPE_CHECKING:
    from toolkit.bench.certify import Certificate

COLUMNS = (
    Column("planted slow-down"),
    Column("found (median)"),
    Column("called slower"),
    Column("called faster"),
    Column("interval holds the truth"),
)


def command(
    path: Annotated[Path, typer.Argument(help="An artifact, or a folder whose smallest is taken.")] = EXPORTED,
    seconds: Seconds = 1.0,
    processes: Processes = 5,
    thorough: Thorough = False,
    seed: Seed = 0,
    output: Records = BENCHMARKS,
    json: Json = False,
    debug: Debug = False,
) -> int:
    """Test the benchmark: which slow-downs can it see here?

    It measures an artifact beside itself and beside slowed copies of itself, 20 times. The exit code is 1 if it calls
    the artifact different from itself in more than 5 % of the trials.
    """
    if thorough:
        seconds, processes = THOROUGH
    console = Console(json_output=json)
    with console.steps("certifying") as show:
        certificate = api.certify(path, seconds=seconds, processes=processes, seed=seed, output=output, on_step=show)
    _report(console, certificate)
    console.text(f"certificate: {certificate.path}, with the raw samples of each trial beside it")
    console.document(certificate.to_json())
    return 0 if certificate.passed else CheckFailedError.exit_code


def _report(console: Console, certificate: "Certificate") -> None:
    from toolkit.bench.certify import MOST_FALSE, POWER

    trials = len(certificate.trials)
    rows = [
        (
            f"{one.share:.0%}" if one.share else "none",
            f"{one.found:+.1%}",
            f"{one.detected} of {trials}",
            f"{one.called_different - one.detected} of {trials}",
            f"{one.covered} of {trials}",
        )
        for one in certificate.planted
    ]
    console.text(f"{certificate.artifact} against itself and against slowed copies of itself, in {trials} trials")
    console.table(COLUMNS, rows)
    verdict = Verdict.of(certificate.passed)
    wrong = certificate.planted[0].called_different
    console.text(f"{verdict}: called different from itself in {wrong} of {trials}; allowed: {MOST_FALSE:.0%}")
    if certificate.detectable is None:
        console.text(f"no planted slow-down was seen in {POWER:.0%} of the trials: measure longer (--thorough)")
    else:
        seen = f"seen in {POWER:.0%} of the trials"
        console.text(f"this machine can tell a slow-down of {certificate.detectable:.0%} ({seen})")
    if trials > 1:
        low, high = min(certificate.medians_s), max(certificate.medians_s)
        console.text(
            f"the median of one trial: {units.seconds(low)} to {units.seconds(high)}, "
            f"coefficient of variation {certificate.spread:.1%}"
        )
