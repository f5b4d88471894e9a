"""``toolkit compare-work``: which of two artifacts executes fewer instructions?"""

from typing import TYPE_CHECKING, Annotated

import typer

from toolkit import api, units
from toolkit.bench.tolerance import MORE_INSTRUCTIONS
from toolkit.cli.bench.tables import NAME_COLUMNS
from toolkit.cli.compare import New, Old
from toolkit.cli.options import Debug, Json
from toolkit.console import Column, Console
from toolkit.errors import CheckFailedError

if TYPE_CHECKING:
    from toolkit.bench.instructions.versus import Counts

COLUMNS = (*NAME_COLUMNS, Column("instructions"), Column("change"))


def command(
    *,
    old: Old,
    new: New,
    tolerance: Annotated[float, typer.Option(help="How many more the new one may execute, in percent.")] = 100
    * MORE_INSTRUCTIONS,
    json: Json = False,
    debug: Debug = False,
) -> int:
    """Compare the instructions of two artifacts: work, not time.

    Those of one inference do not depend on what else the machine does. The exit code is 1 if the new one executes more
    of them by more than --tolerance.
    """
    console = Console(json_output=json)
    with console.steps("counting") as show:
        counts = api.compare_instructions(old, new, tolerance=tolerance / 100, on_step=show)
    _report(console, counts)
    console.document(counts.to_json())
    return 0 if counts else CheckFailedError.exit_code


def _report(console: Console, counts: "Counts") -> None:
    names = units.short_names([counts.reference, counts.candidate])
    if counts.counted is None:
        console.text(f"{names[0]} and {names[1]} are the same file, by their digests: there is nothing to count")
        return
    changes = ("reference", f"{counts.ratio - 1:+.2%}")
    console.table(
        COLUMNS,
        [
            (name, one.runtime, f"{one.count:,}", change)
            for name, one, change in zip(names, counts.counted, changes, strict=True)
        ],
    )
    console.text(f"instructions of one inference, counted by {counts.counted[0].where}")
    for remark in counts.remarks:
        console.warn(remark)
    bound = "at most" if counts else "more than"
    console.text(f"{names[1]} executes {bound} {100 * counts.tolerance:g} % more than {names[0]}")
