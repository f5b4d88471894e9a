"""``toolkit verify``."""

from pathlib import Path
from typing import Annotated, Any

import typer

from toolkit import api
from toolkit.cli.options import (
    OUTPUT,
    AllowOverlap,
    Debug,
    ImageSize,
    Imports,
    InputRange,
    Json,
    Keys,
    Margin,
    On,
    Paths,
    ResizeTo,
    Runtime,
    SkipUnreadable,
    Stride,
    TestData,
    UnsafeLambda,
    Wheels,
    Window,
    given,
    option,
    reading,
    require_device,
)
from toolkit.cli.verify import tables
from toolkit.cli.verify.tables import EXIT_CODES
from toolkit.console import Console
from toolkit.errors import UsageError
from toolkit.parity.statistics import DEFAULT_MARGIN_PP

# What goes with --on.
ON_DEVICES = {"paths", "golden", "on", "wheels", "json", "debug"}


def command(
    context: typer.Context,
    paths: Paths = None,
    data: TestData = None,
    margin: Margin = DEFAULT_MARGIN_PP,
    golden: Annotated[
        bool, typer.Option("--golden", help="Compare with golden.npz: no TensorFlow and no data set needed.")
    ] = False,
    allow_overlap: AllowOverlap = False,
    against: Annotated[
        Path | None,
        typer.Option(help="Another model to compare files with, anybody's: .keras, .tflite or .onnx; needs --data."),
    ] = None,
    input_range: InputRange = None,
    runtime: Runtime = None,
    imports: Imports = None,
    unsafe_lambda: UnsafeLambda = False,
    on: On = None,
    wheels: Wheels = None,
    save: Annotated[
        bool, option(OUTPUT, "Write a parity record, and the results into the manifests.", "--save")
    ] = False,
    flips: Annotated[
        Path | None, option(OUTPUT, "A picture to write: the images that an artifact classifies differently.")
    ] = None,
    image_size: ImageSize = None,
    resize: ResizeTo = None,
    skip_unreadable: SkipUnreadable = False,
    keys: Keys = None,
    window: Window = None,
    stride: Stride = None,
    json: Json = False,
    debug: Debug = False,
) -> int:
    """Prove that artifacts classify like their Keras original.

    The exit code is 0 for pass, 1 for fail, and 3 for inconclusive: too few images to tell.
    """
    require_device(on, wheels)
    console = Console(json_output=json)
    if on:
        if unused := [flag for name, flag in given(context).items() if name not in ON_DEVICES]:
            raise UsageError(f"--on compares by golden on a device; it does not go with {', '.join(unused)}")
        from toolkit.cli.verify.on_devices import verify

        return verify(console, on, paths or (), wheels=wheels)
    asked = given(context)
    common: dict[str, Any] = {
        "margin_pp": margin,
        "reading": reading(image_size, resize, skip_unreadable, keys, window, stride),
        "imports": imports or (),
        "unsafe_lambda": unsafe_lambda,
        "flips": flips,
    }
    with console.steps("verifying") as show:
        if against is not None:
            if unused := [asked[name] for name in ("golden", "save", "allow_overlap", "runtime") if name in asked]:
                raise UsageError(f"--against compares any files by accuracy; leave out {', '.join(unused)}")
            if data is None:
                raise UsageError(f"comparing with {against} needs labelled images; give them by --data")
            parity = api.verify_against(
                against, *(paths or ()), data=data, input_range=input_range, on_step=show, **common
            )
        else:
            if input_range is not None:
                raise UsageError("manifests say what pixels become; --input-range goes with --against")
            parity = api.verify(
                *(paths or ()),
                data=data,
                golden=golden,
                allow_overlap=allow_overlap,
                save=save,
                runtime=runtime,
                on_step=show,
                **common,
            )
    tables.report(console, parity)
    tables.explain(console, parity)
    for record in parity.records:
        console.text(f"record: {record}")
    if flips is not None:
        console.text(f"flips: {flips}")
    console.document(parity.to_json())
    return EXIT_CODES[parity.verdict]
