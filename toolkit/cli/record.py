"""``toolkit record``: what can be done with the record of a benchmark or of a verification."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from toolkit import api, units
from toolkit.bench.tolerance import SLOWER
from toolkit.cli.bench.tables import NAME_COLUMNS, RATIO_COLUMNS
from toolkit.cli.groups import spread
from toolkit.cli.options import Printer
from toolkit.cli.panels import PanelCommand, PanelGroup
from toolkit.console import Column, Console

if TYPE_CHECKING:
    from toolkit.bench.compare_records import Compared, Pair

COLUMNS = (*NAME_COLUMNS, Column("threads"), Column("batch"), Column("old"), Column("new"), *RATIO_COLUMNS)
# The facts of a machine, in words.
FACTS = {"cpu": "CPU", "arch": "architecture", "cores": "cores", "model": "board", "kernels": "instruction sets"}
# How much weaker it is to compare what was measured at two times, and what sees more if the files differ.
WEAKER = "two records: what the machine did on the one day and not on the other counts as a difference"
SAME = "the files are the same, by their digests"
BETTER = "far smaller ones are seen if the two files are timed side by side: toolkit compare OLD.tflite NEW.tflite"

app = typer.Typer(cls=PanelGroup, help="Check, compare or plot the records of bench and verify.")


@app.command(cls=PanelCommand)
@spread
def check(
    *,
    record: Annotated[
        Path,
        typer.Argument(help="The folder of a benchmark's record, or a parity.json."),
    ],
    console: Printer,
) -> int:
    """Rebuild every figure of a record from its raw samples.

    The exit code is 1 if a figure differs, or if a file that belongs to the record was changed.
    """
    from toolkit.rebuilt import BENCHMARK

    rebuilt = api.check_record(record)
    for difference in rebuilt.differences:
        console.text(difference)
    samples = f"{rebuilt.samples:,} {'latencies' if rebuilt.kind == BENCHMARK else 'test rows'}"
    artifacts = units.count(rebuilt.artifacts, "artifact")
    differences = units.count(len(rebuilt.differences), "difference")
    console.text(f"{rebuilt.path}: {rebuilt.figures} figures of {artifacts} rebuilt from {samples}")
    console.text(f"{differences}; verdict: {rebuilt.verdict}")
    return console.end(rebuilt.to_json(), passed=rebuilt)


@app.command(cls=PanelCommand)
@spread
def plot(
    *,
    record: Annotated[Path, typer.Argument(help="The folder of a benchmark's record.")],
    picture: Annotated[Path, typer.Argument(help="The picture to write: .png or .svg.")],
    console: Printer,
) -> int:
    """Draw the latencies of a benchmark, and accuracy and size against them."""
    missing = api.plot_record(record, picture)
    console.text(f"picture: {picture}{f', latencies alone: {missing}' if missing else ''}")
    console.document(
        {"schema": 1, "command": "record plot", "record": str(record), "picture": str(picture), "missing": missing}
    )
    return 0


@app.command(cls=PanelCommand)
@spread
def compare(
    *,
    old: Annotated[Path, typer.Argument(help="The folder of the older record of a benchmark.")],
    new: Annotated[Path, typer.Argument(help="The folder of the newer one.")],
    tolerance: Annotated[float, typer.Option(help="How much slower an artifact may be, in percent.")] = 100 * SLOWER,
    console: Printer,
) -> int:
    """Compare two benchmarks: has an artifact become slower?

    The exit code is 1 if one is slower by more than --tolerance with 95 % confidence, or can no longer be measured.
    """
    compared = api.compare_records(old, new, tolerance=tolerance / 100)
    _report_compared(console, compared, old, new)
    return console.end(compared.to_json(), passed=compared)


def _report_compared(console: Console, compared: "Compared", old: Path, new: Path) -> None:
    console.table(COLUMNS, [_row(pair) for pair in compared.pairs])
    for result in compared.gone:
        console.warn(f"{result.path.name} (threads {result.threads}, batch {result.batch}) is in {old} only")
    for path, why in compared.failed.items():
        console.warn(f"{path} was not measured in {new}: {why.removeprefix(f'{path}: ')}")
    if compared.same_host:
        slower, within, every = (len(pairs) for pairs in (compared.slower, compared.within, compared.pairs))
        more = f"more than {100 * compared.tolerance:g} % slower: {slower} of {every}; surely not: {within} of {every}"
        console.text(f"surely {more} (with 95 % confidence)")
        console.text(f"{WEAKER}; {SAME if all(pair.same_file for pair in compared.pairs) else BETTER}")
    else:
        differing = units.listed([FACTS[fact] for fact in compared.differing])
        console.text(f"measured on two machines, by their {differing}: side by side, without a verdict")


def _row(pair: "Pair") -> tuple[str, ...]:
    from toolkit.bench.statistics import describe

    medians = (units.seconds(result.median.value) for result in (pair.old, pair.new))
    configuration = (pair.new.path.name, pair.new.runtime, str(pair.new.threads), str(pair.new.batch))
    if pair.change is None:
        return (*configuration, *medians, "–", "–", "")
    interval = f"{pair.change.low:.2f} – {pair.change.high:.2f}"
    return (*configuration, *medians, f"{pair.change.value:.2f}×", interval, describe(pair.change))
