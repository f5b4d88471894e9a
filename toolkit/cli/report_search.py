"""``toolkit report-search``: the report of a search, without training."""

from typing import Annotated

import typer

from toolkit import api
from toolkit.cli import search
from toolkit.cli.options import Debug, Json
from toolkit.console import Console


def command(
    name: Annotated[str, typer.Option(help="Name of the search, or its folder.")] = "search",
    json: Json = False,
    debug: Debug = False,
) -> int:
    """Write the report of a search anew, without training.

    The exit code is 1 if nothing reaches what was asked for.
    """
    return search.report(Console(json_output=json), api.report_search(name))
