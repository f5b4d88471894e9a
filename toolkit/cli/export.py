"""``toolkit export``."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from toolkit import extras, units
from toolkit.cli.options import EXPORTED, AllowOverlap, Debug, Json
from toolkit.console import Column, Console

if TYPE_CHECKING:
    from toolkit.export.exporter import Exported, Options
    from toolkit.export.sources import Source


def command(
    sources: Annotated[
        list[str] | None,
        typer.Argument(
            help="Runs, by name or folder, folders of exports, or .keras files; default: the newest run of each model."
        ),
    ] = None,
    format: Annotated[
        str,
        typer.Option(help="tflite, onnx, c (the int8 TFLite, also as a C array), with commas; default: tflite,onnx."),
    ] = "",
    quantize: Annotated[str, typer.Option(help="float32,float16,dynamic,int8; default: all that a format has.")] = "",
    data: Annotated[
        str | None, typer.Option(help="Where calibration images come from; default: what the run was trained on.")
    ] = None,
    output: Annotated[Path, typer.Option(help="The folder that gets a folder per model.")] = EXPORTED,
    calibration: Annotated[
        int | None, typer.Option(help="Training images that int8 takes its ranges from; default: 500, or all if fewer.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Of the choice of calibration images.")] = 0,
    allow_overlap: AllowOverlap = False,
    json: Json = False,
    debug: Debug = False,
) -> int:
    """Export a trained model as quantized TFLite and ONNX, or as C for microcontrollers, with a manifest."""
    from toolkit.errors import ExportFailedError
    from toolkit.export import sources as found
    from toolkit.export.exporter import Options
    from toolkit.export.formats import plan

    extras.require("tensorflow")
    console = Console(json_output=json)
    options = Options(plan(_split(format), _split(quantize)), calibration, seed)
    chosen = [found.resolve(source) for source in sources] if sources else found.newest_of_each_model()
    exports = perform(console, chosen, options, output=output, data=data, allow_overlap=allow_overlap)
    report(console, exports)
    console.document(document(exports))
    failures = [f"{name}: {why} (log: {part.log})" for part in exports for name, why in part.failures.items()]
    if failures:
        raise ExportFailedError(f"{'; '.join(failures)}; the rest was exported")
    return 0


def perform(
    console: Console,
    sources: Sequence["Source"],
    options: "Options",
    *,
    output: Path,
    data: str | None = None,
    allow_overlap: bool = False,
) -> list["Exported"]:
    """Export every source into its folder of ``output``."""
    from toolkit.data import load
    from toolkit.errors import UsageError
    from toolkit.export.exporter import export

    names = [source.name for source in sources]
    if len(set(names)) < len(names):
        raise UsageError(f"several sources are of one name ({', '.join(names)}) and would overwrite each other")
    exports = []
    for source in sources:
        dataset = load(data or source.data, warn=console.warn)
        console.note(f"exporting {source.keras_path}, calibrated on '{dataset.name}' ({dataset.origin})")
        exports.append(
            export(
                source,
                dataset,
                output / source.name,
                options,
                warn=console.warn,
                allow_overlap=allow_overlap,
                on_artifact=lambda name, failure: console.note(f"  {name}{': failed' if failure else ''}"),
            )
        )
    return exports


def report(console: Console, exports: Sequence["Exported"]) -> None:
    """Print the files that were made, and what became of older ones."""
    from toolkit.manifest import Artifact

    columns = (Column("artifact", figures=False), Column("size"), Column("input"), Column("output"), Column("sha256"))
    rows = [
        (
            str(part.manifest.folder / file.path),
            units.size(file.size_bytes),
            *((file.inputs[0].dtype, file.outputs[0].dtype) if isinstance(file, Artifact) else ("", "")),
            file.sha256[:12],
        )
        for part in exports
        for file in part.made
    ]
    console.table(columns, rows)
    for part in exports:
        for path in part.unlisted:
            console.warn(f"{path} is of another export and no longer listed in the manifest; remove or export it again")


def document(exports: Sequence["Exported"]) -> dict[str, Any]:
    """Return the JSON document. ``manifest`` is the first of ``manifests``."""
    manifests = [str(part.manifest.folder / "manifest.json") for part in exports]
    return {
        "schema": 1,
        "command": "export",
        "manifest": manifests[0],
        "manifests": manifests,
        "artifacts": [
            {
                "path": str(part.manifest.folder / file.path),
                "format": file.format,
                "quantization": file.quantization,
                "sha256": file.sha256,
                "size_bytes": file.size_bytes,
            }
            for part in exports
            for file in part.made
        ],
        "overlap": [one for part in exports for one in part.manifest.data["overlap"]],
        "failures": {name: why for part in exports for name, why in part.failures.items()},
    }


def _split(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]
