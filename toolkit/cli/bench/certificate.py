"""``toolkit bench --certify``: what the benchmark says of an artifact held against itself."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from toolkit import units
from toolkit.console import Column, Console
from toolkit.errors import CheckFailedError, UsageError
from toolkit.verdict import Verdict

if TYPE_CHECKING:
    from toolkit.bench.certify import Certificate
    from toolkit.bench.schedule import Plan

COLUMNS = (
    Column("planted slow-down"),
    Column("found (median)"),
    Column("called slower"),
    Column("called faster"),
    Column("interval holds the truth"),
)


def check(plan: "Plan", *, explain: bool, plot: Path | None, strict: bool) -> None:
    """Raise where something is asked for that a certificate does not have."""
    from toolkit.bench.advice import Budgets

    asked = {
        "--threads": plan.threads != [1],
        "--batch": plan.batches != [1],
        "--rate": plan.rate is not None,
        "budgets": plan.budgets != Budgets(),
        "--explain": explain,
        "--plot": plot is not None,
        "--strict": strict,
    }
    if unknown := [option for option, is_asked in asked.items() if is_asked]:
        raise UsageError(f"--certify holds one artifact against itself, on one thread; leave out {', '.join(unknown)}")


def command(console: Console, paths: Sequence[Path], plan: "Plan", *, output: Path) -> int:
    """Certify the smallest of the artifacts, and print what was found."""
    from toolkit.bench.candidates import select
    from toolkit.bench.certify import CERTIFICATE, TRIALS, certify
    from toolkit.bench.schedule import new_folder

    candidates = select(paths, warn=console.warn)
    smallest = min(candidates, key=lambda candidate: candidate.path.stat().st_size)
    folder = new_folder(output)
    with console.steps(f"certifying with {smallest.path}") as show:
        found = certify(smallest, folder, plan, trials=TRIALS, on_step=show)
    _report(console, found)
    console.text(f"certificate: {folder / CERTIFICATE}, with the raw samples of each trial beside it")
    console.document(found.to_json())
    return 0 if found.passed else CheckFailedError.exit_code


def _report(console: Console, found: "Certificate") -> None:
    from toolkit.bench.certify import MOST_FALSE, POWER

    trials = len(found.trials)
    rows = [
        (
            f"{one.share:.0%}" if one.share else "none",
            f"{one.found:+.1%}",
            f"{one.detected} of {trials}",
            f"{one.called_different - one.detected} of {trials}",
            f"{one.covered} of {trials}",
        )
        for one in found.planted
    ]
    console.text(f"{found.artifact} against itself and against slowed copies of itself, in {trials} trials")
    console.table(COLUMNS, rows)
    verdict = Verdict.of(found.passed)
    wrong = found.planted[0].called_different
    console.text(f"{verdict}: called different from itself in {wrong} of {trials}; allowed: {MOST_FALSE:.0%}")
    if found.detectable is None:
        console.text(f"no planted slow-down was seen in {POWER:.0%} of the trials: measure longer (--thorough)")
    else:
        console.text(f"this machine can tell a slow-down of {found.detectable:.0%} (seen in {POWER:.0%} of the trials)")
    if trials > 1:
        low, high = min(found.medians_s), max(found.medians_s)
        console.text(
            f"the median of one trial: {units.seconds(low)} to {units.seconds(high)}, "
            f"coefficient of variation {found.spread:.1%}"
        )
