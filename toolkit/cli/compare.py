"""``toolkit compare``: has an artifact become slower?"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from toolkit import api, units
from toolkit.cli.bench.tables import NAME_COLUMNS
from toolkit.cli.options import Debug, Json
from toolkit.console import Column, Console
from toolkit.errors import CheckFailedError

if TYPE_CHECKING:
    from toolkit.bench.compare import Pair

COLUMNS = (
    *NAME_COLUMNS,
    Column("threads"),
    Column("batch"),
    Column("old"),
    Column("new"),
    Column("speed-up"),
    Column("95 %"),
    Column("", figures=False),
)


def command(
    old: Annotated[Path, typer.Argument(help="The folder of the older record.")],
    new: Annotated[Path, typer.Argument(help="The folder of the newer record.")],
    tolerance: Annotated[float, typer.Option(help="How much slower an artifact may be, in percent.")] = 5.0,
    json: Json = False,
    debug: Debug = False,
) -> int:
    """Compare two benchmarks: has an artifact become slower?

    The exit code is 1 if one is slower by more than --tolerance with 95 % confidence, or can no longer be measured.
    """
    console = Console(json_output=json)
    compared = api.compare(old, new, tolerance=tolerance / 100)
    console.table(COLUMNS, [_row(pair) for pair in compared.pairs])
    for result in compared.gone:
        console.warn(f"{result.path.name} (threads {result.threads}, batch {result.batch}) is in {old} only")
    for path, why in compared.failed.items():
        console.warn(f"{path} was not measured in {new}: {why.removeprefix(f'{path}: ')}")
    if compared.same_host:
        slower = f"{len(compared.slower)} of {len(compared.pairs)} are more than {tolerance:g} % slower"
        console.text(f"{slower}, with 95 % confidence")
    else:
        console.text("measured on two machines: side by side, without a verdict")
    console.document(compared.to_json())
    return 0 if compared else CheckFailedError.exit_code


def _row(pair: "Pair") -> tuple[str, ...]:
    from toolkit.bench.statistics import describe

    medians = (units.seconds(result.median.value) for result in (pair.old, pair.new))
    configuration = (pair.new.path.name, pair.new.runtime, str(pair.new.threads), str(pair.new.batch))
    if pair.change is None:
        return (*configuration, *medians, "–", "–", "")
    interval = f"{pair.change.low:.2f} – {pair.change.high:.2f}"
    return (*configuration, *medians, f"{pair.change.value:.2f}×", interval, describe(pair.change))
