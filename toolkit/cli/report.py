"""``toolkit report``: one page to hand on."""

from pathlib import Path
from typing import Annotated

import typer

from toolkit import api, units
from toolkit.cli.options import EXPORTED, OUTPUT, Printer, TestData, option


def command(
    *,
    path: Annotated[
        Path | None,
        typer.Argument(help="The folder of an export, or one of several; default: exported/", show_default=False),
    ] = None,
    record: Annotated[
        Path | None,
        typer.Option(help="The folder of a benchmark's record; default: the newest one of these files."),
    ] = None,
    data: TestData = None,
    output: Annotated[
        Path | None, option(OUTPUT, "The page to write; default: report-FOLDER.html.", "--output")
    ] = None,
    pdf: Annotated[bool, option(OUTPUT, "Also print it to a PDF beside it, by Chromium.", "--pdf")] = False,
    console: Printer,
) -> int:
    """Write one page of everything that is known of an export.

    It has verdicts with their intervals, latencies, and what to ship. It is HTML that needs nothing else, so it can be
    handed on as it is. It says what it lacks, and why.
    """
    written = api.report(path or EXPORTED, output=output, record=record, data=data, pdf=pdf)
    for page in written:
        reasons: dict[str, list[str]] = {}
        for title, why in page.absent.items():
            reasons.setdefault(why, []).append(f"'{title}'")
        for why, titles in reasons.items():
            console.note(f"{page.path} lacks {units.listed(titles)}: {why}")
        console.text(f"report: {page.path}{f', {page.pdf}' if page.pdf else ''}")
    console.document({"schema": 1, "command": "report", "reports": [page.to_json() for page in written]})
    return 0
