"""``toolkit wheels``."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from toolkit import units
from toolkit.cli.options import Debug, Json
from toolkit.console import Column, Console


def command(
    folder: Annotated[Path, typer.Argument(help="The folder to fill.")] = Path("wheels"),
    python: Annotated[str, typer.Option(help="The Python of the device, its first two numbers.")] = "3.11",
    arch: Annotated[
        Literal["aarch64", "x86_64"], typer.Option(help="The processor architecture of the device.")
    ] = "aarch64",
    json: Json = False,
    debug: Debug = False,
) -> int:
    """Download what a device without internet installs.

    Then use it: 'toolkit bench --on DEVICE --wheels FOLDER'.
    """
    from toolkit.files import sha256
    from toolkit.wheels.folder import fill

    console = Console(json_output=json)
    with console.progress(1, "downloading"):
        wheels = fill(folder, python=python, arch=arch)
    sizes = {wheel: wheel.stat().st_size for wheel in wheels}
    columns = (Column("wheel", figures=False), Column("size"))
    console.table(columns, [(wheel.name, units.size(size)) for wheel, size in sizes.items()])
    console.text(f"{len(wheels)} wheels, {units.size(sum(sizes.values()))}, for Python {python} on {arch} in {folder}/")
    found = [{"path": str(wheel), "size_bytes": size, "sha256": sha256(wheel)} for wheel, size in sizes.items()]
    console.document(
        {"schema": 1, "command": "wheels", "folder": str(folder), "python": python, "arch": arch, "wheels": found}
    )
    return 0
