"""``toolkit check-bundle``."""

from pathlib import Path
from typing import Annotated

import typer

from toolkit import api, units
from toolkit.cli.options import Printer
from toolkit.console import Column


def command(
    *,
    bundle: Annotated[Path, typer.Argument(help="The file that 'toolkit bundle' wrote.")],
    console: Printer,
) -> int:
    """Check that a bundle holds the files that were packed.

    The exit code is 1 if one was changed.
    """
    checked = api.check_bundle(bundle)
    columns = (Column("file", figures=False), Column("sha256"))
    console.table(columns, [(name, digest[:12]) for name, digest in checked.digests.items()])
    for problem in checked.problems:
        console.text(f"{bundle}: {problem}")
    files, problems = units.count(len(checked.digests), "file"), units.count(len(checked.problems), "problem")
    console.text(f"{files}, {problems}; verdict: {checked.verdict}")
    return console.end(checked.to_json(), passed=checked)
