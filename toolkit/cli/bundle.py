"""``toolkit bundle``."""

from pathlib import Path
from typing import Annotated

import typer

from toolkit import api, units
from toolkit.cli.bench import live
from toolkit.cli.options import Printer
from toolkit.console import Column


def command(
    *,
    model: Annotated[str, typer.Argument(help="A folder of artifacts, the name of one in exported/, or one artifact.")],
    output: Annotated[
        Path | None, typer.Option(help="The file to write; default: MODEL-QUANTIZATION-FORMAT.zip, here.")
    ] = None,
    console: Printer,
) -> int:
    """Pack one file for a device: an artifact and what runs it.

    The file holds the artifact that bench recommends here, its golden, its manifest, a wheel and classify.py.
    """
    with live.show_live(console) as show:
        bundle = api.bundle(model, output=output, on_step=show)
    document = bundle.to_json()
    console.table(
        (Column("file", figures=False), Column("sha256")),
        [(f"{bundle.name}/{file}", digest[:12]) for file, digest in bundle.digests.items()],
    )
    console.text(f"bundle: {bundle.path}, {units.size(document['size_bytes'])}, sha256 {document['sha256']}")
    console.text(f"artifact: {bundle.artifact.path}: {bundle.why}")
    if bundle.winner:
        console.text(f"setting: {bundle.winner.setting}, which was surely faster in {bundle.winner.record}")
    console.text(f"on the device ({', '.join(('Python', *bundle.needs))}):")
    console.text(f"  python3 -m zipfile -e {bundle.path.name} . && python3 {bundle.name}/classify.py")
    console.document(document)
    return 0
