"""``toolkit wheels``."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from toolkit import api, units
from toolkit.cli.options import Printer
from toolkit.console import Column


def command(
    *,
    folder: Annotated[Path, typer.Argument(help="The folder to fill.")] = Path("wheels"),
    python: Annotated[str, typer.Option(help="The Python of the device, its first two numbers.")] = "3.11",
    arch: Annotated[
        Literal["aarch64", "x86_64"], typer.Option(help="The processor architecture of the device.")
    ] = "aarch64",
    console: Printer,
) -> int:
    """Download what a device without internet installs.

    Then use it: 'toolkit device bench --on DEVICE --wheels FOLDER'.
    """
    with console.steps("downloading"):
        filled = api.wheels(folder, python=python, arch=arch)
    sizes = {wheel.name: wheel.stat().st_size for wheel in filled.wheels}
    columns = (Column("wheel", figures=False), Column("size"))
    console.table(columns, [(name, units.size(size)) for name, size in sizes.items()])
    console.text(f"{len(sizes)} wheels, {units.size(sum(sizes.values()))}, for Python {python} on {arch} in {folder}/")
    console.document(filled.to_json())
    return 0
