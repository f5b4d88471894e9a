"""``toolkit data``."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from toolkit import api
from toolkit.cli.options import Printer, ReadingOptions
from toolkit.console import Console, text_columns
from toolkit.errors import UsageError

if TYPE_CHECKING:
    from toolkit.reading import Reading


def command(
    *,
    names: Annotated[
        list[str] | None, typer.Argument(help="Data sets to check: names or paths; default: list all sources.")
    ] = None,
    fetch: Annotated[
        bool, typer.Option("--fetch", help="Download the named data sets where they are missing.")
    ] = False,
    reading: ReadingOptions,
    console: Printer,
) -> int:
    """Show, check and download data sets.

    Without names it lists all sources. The digests of the named ones are checked.
    """
    if "auto" in (names or []):
        raise UsageError("'auto' is a choice between sources, not one of them; name mnist or sample")
    if fetch and not names:
        raise UsageError("--fetch needs the names of data sets, for example: toolkit data mnist --fetch")
    if reading.asked and not names:
        raise UsageError("what is read needs a path, for example: toolkit data photos --image-size 96x96")
    results = _check(console, names, reading.asked, fetch=fetch) if names else _list(console)
    console.document({"schema": 1, "command": "data", "results": results})
    return 0


def _list(console: Console) -> list[dict[str, Any]]:
    columns = text_columns("source", "what it is", "where")
    sources = api.list_data()
    absent = {True: "not on this machine", False: "give its path by --data"}
    console.table(columns, [(one.name, one.summary, str(one.place or absent[one.is_named])) for one in sources])
    return [one.to_json() for one in sources]


def _check(console: Console, names: list[str], reading: "Reading | None", *, fetch: bool) -> list[dict[str, Any]]:
    """Load the named data sets: digests are compared with the published ones, the pixels of others are looked at."""
    results = []
    for name in names:
        dataset = api.load_data(name, fetch=fetch, reading=reading)
        console.text(
            f"{dataset.name}: {dataset.counts} {dataset.rows_are}, {dataset.classes} classes, from {dataset.origin}"
        )
        for part, digest in dataset.digests.items():
            console.text(f"  {part.replace('_', ' '):13} sha256 {digest}")
        results.append(dataset.to_json())
    return results
