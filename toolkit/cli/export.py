"""``toolkit export``."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from toolkit import api, units
from toolkit.cli.options import (
    EXPORTED,
    OWN,
    AllowOverlap,
    InputRange,
    LoadingOptions,
    Printer,
    ReadingOptions,
    option,
)
from toolkit.console import Column, Console
from toolkit.errors import ExportFailedError, UsageError

if TYPE_CHECKING:
    from toolkit.export.exporter import Exported
    from toolkit.step import OnStep


@dataclass(frozen=True)
class CalibrationOptions:
    """Which images int8 takes its ranges from."""

    data: Annotated[
        str | None, typer.Option(help="Where calibration images come from; default: what the run was trained on.")
    ] = None
    calibration: Annotated[
        int | None,
        typer.Option(
            help="Training images that int8 takes its ranges from; default: 500 (of large ones 100 or more) or all."
        ),
    ] = None
    seed: Annotated[int, typer.Option(help="Seed of the random choice of calibration images.")] = 0


def command(
    *,
    sources: Annotated[
        list[str] | None,
        typer.Argument(
            help="Runs, exports, SavedModel folders, .keras or .h5 files; default: newest run of each model."
        ),
    ] = None,
    format: Annotated[
        str,
        typer.Option(help="tflite, onnx, c (the int8 TFLite, also as a C array), with commas; default: tflite,onnx."),
    ] = "",
    quantize: Annotated[
        str, typer.Option(help="float32,float16,dynamic,int8,mixed; default: all that a format has but mixed.")
    ] = "",
    images: CalibrationOptions,
    output: Annotated[Path, typer.Option(help="The folder that gets a folder per model.")] = EXPORTED,
    input_shape: Annotated[
        str | None, option(OWN, "HxWxC, where the model takes images of any size; default: those of the data.")
    ] = None,
    code: LoadingOptions,
    input_range: InputRange = None,
    allow_overlap: AllowOverlap = False,
    reading: ReadingOptions,
    console: Printer,
) -> int:
    """Export a trained model as quantized TFLite, ONNX or C.

    The folder of the files gets a manifest, golden outputs and the Keras original.
    """
    from toolkit.export.exporter import Exports

    shape = None if input_shape is None else _shape(input_shape)
    how = reading.asked
    exports = [
        api.export(
            source,
            format=_split(format),
            quantize=_split(quantize),
            reading=how,
            output=output,
            input_shape=shape,
            **code.arguments,
            input_range=input_range,
            allow_overlap=allow_overlap,
            on_step=note_steps(console),
            **vars(images),
        )
        for source in api.find_sources(*(sources or ()))
    ]
    report(console, exports)
    console.document(Exports(tuple(exports)).to_json())
    failures = [f"{name}: {why} (log: {part.log})" for part in exports for name, why in part.failures.items()]
    if failures:
        raise ExportFailedError(f"{'; '.join(failures)}; the rest was exported")
    return 0


def note_steps(console: Console) -> "OnStep":
    """Return a callback that notes each step of an export."""
    return lambda step: console.note(f"  {step.text}" if step.done else step.text)


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


def _split(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


def _shape(text: str) -> tuple[int, int, int]:
    """Return HxWxC as numbers; UsageError for what is none."""
    sizes = re.fullmatch(r"([1-9]\d{0,5})[xX×]([1-9]\d{0,5})[xX×]([1-9]\d{0,5})", text, re.ASCII)
    if sizes is None:
        raise UsageError(f"the input shape is '{text}'; it must be height, width and channels, as in 96x96x3")
    height, width, channels = (int(size) for size in sizes.groups())
    return height, width, channels
