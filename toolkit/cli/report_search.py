"""``toolkit report-search``: the report of a search, without training."""

from typing import Annotated

import typer

from toolkit import api
from toolkit.cli import search
from toolkit.cli.options import Printer


def command(
    *,
    name: Annotated[str, typer.Option(help="The name or the folder of the search.")] = "search",
    console: Printer,
) -> int:
    """Write the report of a search anew, without training.

    The exit code is 1 if nothing reaches what was asked for.
    """
    return search.report(console, api.report_search(name), command="report-search")
