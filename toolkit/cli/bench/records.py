"""What is done with the records of a benchmark: rebuild their figures, draw them, hold one against another."""

from pathlib import Path
from typing import TYPE_CHECKING

from toolkit import units
from toolkit.cli.bench.tables import NAME_COLUMNS
from toolkit.cli.options import INTERRUPTED
from toolkit.console import Column, Console
from toolkit.errors import ArtifactError, CheckFailedError

if TYPE_CHECKING:
    from toolkit.bench.record import Record

COMPARED_COLUMNS = (
    *NAME_COLUMNS,
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
    nothing_fits = any(not choice["fits"] for choice in record.recommended())
    return CheckFailedError.exit_code if record.failures or nothing_fits or (strict and record.marked) else 0


def recompute(console: Console, folder: Path, plot: Path | None = None) -> int:
    """Rebuild the figures of a record from its raw samples, print what differs, and draw them where ``plot`` is."""
    from toolkit.bench import record

    count, differences = record.recompute(folder)
    for difference in differences:
        console.text(difference)
    verdict = "fail" if differences else "pass"
    console.text(f"{folder}: {count} figures rebuilt from the raw samples, {len(differences)} differences")
    if plot is not None:
        draw(console, plot, record.read(folder))
    document = {"schema": 1, "command": "bench", "record": str(folder), "figures": count}
    console.document({**document, "differences": differences, "verdict": verdict})
    return CheckFailedError.exit_code if differences else 0


def check_picture(path: Path) -> None:
    """Raise before anything is measured where no picture could be written."""
    from toolkit.bench import plot

    plot.check(path)


def draw(console: Console, path: Path, record: "Record") -> None:
    """Draw a record, and say where, and what is missing in the picture."""
    from toolkit.bench import plot

    missing = plot.draw(path, record)
    console.text(f"picture: {path}{f', latencies alone: {missing}' if missing else ''}")


def compare(console: Console, old: Path, new: Path, *, tolerance: float) -> int:
    """Print two records side by side; exit code 1 where one is surely slower by more than ``tolerance``, a share."""
    from toolkit.bench import record
    from toolkit.bench.compare import compare as pair_up

    same_host, pairs = pair_up(record.read(old), record.read(new))
    if not pairs:
        raise ArtifactError(f"{old} and {new} have no configuration in common")
    rows = []
    for pair in pairs:
        medians = (units.seconds(result.median.value) for result in (pair.old, pair.new))
        change = pair.change
        judged = (
            ("–", "–", "")
            if change is None
            else (f"{change.value:.2f}×", f"{change.low:.2f} – {change.high:.2f}", pair.verdict or "")
        )
        rows.append((pair.new.path.name, pair.new.runtime, *medians, *judged))
    console.table(COMPARED_COLUMNS, rows)
    slower = [pair for pair in pairs if pair.regressed(tolerance)]
    if same_host:
        console.text(f"{len(slower)} of {len(pairs)} are surely more than {tolerance:.0%} slower")
    else:
        console.text("measured on two machines: side by side, without a verdict")
    console.document(
        {
            "schema": 1,
            "command": "bench",
            "compared": [pair.to_json() for pair in pairs],
            "same_host": same_host,
            "tolerance": tolerance,
            "verdict": "fail" if slower else "pass" if same_host else None,
        }
    )
    return CheckFailedError.exit_code if slower else 0
