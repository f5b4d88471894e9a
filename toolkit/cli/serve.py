"""``toolkit serve``."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from toolkit import api
from toolkit.cli.options import InputRange, Printer

if TYPE_CHECKING:
    from toolkit.serve.address import Address


def command(
    *,
    artifacts: Annotated[
        list[Path] | None,
        typer.Argument(
            help="One to four artifacts; default: the most accurate verified one of exported/.", show_default=False
        ),
    ] = None,
    host: Annotated[
        str,
        typer.Option(help="The address to listen at; 0.0.0.0: all of this machine, so that others can open the page."),
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="The port; 0: any that is free.")] = 8000,
    token: Annotated[
        str | None,
        typer.Option(help="What a request must have; default: one is made where other machines can ask."),
    ] = None,
    input_range: InputRange = None,
    console: Printer,
) -> int:
    """Show a live page of artifacts, with an API.

    Draw, upload, paste or film, and see what each of them says. Ctrl-C ends it.
    """
    chosen = artifacts or [api.default_artifact()]

    def show(address: "Address") -> None:
        for artifact in chosen:
            console.text(f"serving {artifact}")
        if address.token is not None and _can_show(code := address.code):
            console.legend("\n".join(code))
        console.text(f"open {address.link}")
        console.note("Ctrl-C ends it")
        console.document(
            {
                "schema": 1,
                "command": "serve",
                "url": address.link,
                "token": address.token,
                "artifacts": [str(artifact) for artifact in chosen],
            }
        )

    api.serve(
        *chosen, host=host, port=port, token=token, input_range=input_range, on_ready=show, on_failure=console.warn
    )


def _can_show(lines: Sequence[str]) -> bool:
    """Say whether the terminal has the blocks of a QR code."""
    try:
        "".join(lines).encode(sys.stdout.encoding or "ascii")
    except UnicodeEncodeError:
        return False
    return True
