"""What is done with the records of a benchmark: rebuild their figures, draw them, hold one against another."""

from pathlib import Path
from typing import TYPE_CHECKING

from toolkit import units
from toolkit.cli.bench.tables import NAME_COLUMNS
from toolkit.cli.options import INTERRUPTED
from toolkit.console import Column, Console
from toolkit.errors import CheckFailedError, UsageError
from toolkit.verdict import Verdict

if TYPE_CHECKING:
    from toolkit.bench.compare import Pair
    from toolkit.bench.record import Record

COMPARED_COLUMNS = (
    *NAME_COLUMNS,
    Column("threads"),
    Column("batch"),
    Column("old"),
    Column("new"),
    Column("speed-up"),
    Column("95 %"),
    Column("", figures=False),
)


def exit_code(record: "Record", *, strict: bool) -> int:
    """Return the exit code of a benchmark. strict: whether what changed on the machine counts."""
    if record.interrupted:
        return INTERRUPTED
    nothing_fits = any(not choice["fits"] for choice in record.recommendations)
    return CheckFailedError.exit_code if record.failures or nothing_fits or (strict and record.marked) else 0


def recompute(console: Console, folder: Path, plot: Path | None = None) -> int:
    """Rebuild the figures of a record from its raw samples, print what differs, and draw them where ``plot`` is."""
    from toolkit.bench import record

    count, differences = record.recompute(folder)
    for difference in differences:
        console.text(difference)
    verdict = Verdict.of(not differences)
    console.text(f"{folder}: {count} figures rebuilt from the raw samples, {len(differences)} differences")
    if plot is not None:
        draw(console, plot, record.read(folder))
    document = {"schema": 1, "command": "bench", "record": str(folder), "figures": count}
    console.document({**document, "differences": differences, "verdict": verdict})
    return CheckFailedError.exit_code if differences else 0


def draw(console: Console, path: Path, record: "Record") -> None:
    """Draw a record, and say where, and what is missing in the picture."""
    from toolkit.bench import plot

    missing = plot.draw(path, record)
    console.text(f"picture: {path}{f', latencies alone: {missing}' if missing else ''}")


def compare(console: Console, old: Path, new: Path, *, tolerance: float) -> int:
    """Print two records side by side.

    Exit code 1 where one is surely slower by more than ``tolerance``, a share, or can no longer be measured.
    """
    from toolkit.bench import record
    from toolkit.bench.compare import compare as pair_up

    if tolerance < 0:
        raise UsageError(f"--tolerance is {tolerance:.4g}; it must be a percentage from 0")
    tolerance /= 100
    compared = pair_up(record.read(old), record.read(new))
    console.table(COMPARED_COLUMNS, [_compared_row(pair) for pair in compared.pairs])
    for result in compared.gone:
        console.warn(f"{result.path.name} (threads {result.threads}, batch {result.batch}) is in {old} only")
    for path, why in compared.failed.items():
        console.warn(f"{path} was not measured in {new}: {why.removeprefix(f'{path}: ')}")
    slower = [pair for pair in compared.pairs if pair.regressed(tolerance)]
    if compared.same_host:
        console.text(f"{len(slower)} of {len(compared.pairs)} are surely more than {tolerance * 100:g} % slower")
    else:
        console.text("measured on two machines: side by side, without a verdict")
    failed = bool(slower or compared.failed)
    verdict = Verdict.of(not failed) if failed or compared.same_host else None
    console.document(
        {"schema": 1, "command": "bench", **compared.to_json(), "tolerance": tolerance, "verdict": verdict}
    )
    return CheckFailedError.exit_code if failed else 0


def _compared_row(pair: "Pair") -> tuple[str, ...]:
    from toolkit.bench.statistics import describe

    medians = (units.seconds(result.median.value) for result in (pair.old, pair.new))
    setting = (pair.new.path.name, pair.new.runtime, str(pair.new.threads), str(pair.new.batch))
    if pair.change is None:
        return (*setting, *medians, "–", "–", "")
    interval = f"{pair.change.low:.2f} – {pair.change.high:.2f}"
    return (*setting, *medians, f"{pair.change.value:.2f}×", interval, describe(pair.change))
