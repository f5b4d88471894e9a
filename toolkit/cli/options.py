"""The options that several verbs share."""

from pathlib import Path
from typing import Annotated

import typer

from toolkit.api import EXPORTED as EXPORTED

Json = Annotated[bool, typer.Option("--json", help="Print one JSON document on stdout, and nothing else there.")]
Debug = Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")]
DataChoice = Annotated[
    str,
    typer.Option(help="auto, mnist, fashion-mnist, sample, or a path: .npz, folder of IDX files, folder of images."),
]
AllowOverlap = Annotated[
    bool,
    typer.Option("--allow-overlap", help="Go on where test images are training images too; every figure is marked."),
]
InputRange = Annotated[
    str | None,
    typer.Option(help="What pixels of 0 and 255 become: 0..1, 0..255, -1..1 or MEAN,STD; default: what the file says."),
]
Paths = Annotated[list[Path] | None, typer.Argument(help="Files or folders; default: exported/", show_default=False)]

# Exit code of a command that Ctrl-C ended: 128 + SIGINT, as shells have it.
INTERRUPTED = 130
Imports = Annotated[
    list[Path] | None,
    typer.Option("--import", help="A Python file with layers of the model that are not Keras' own; it is run."),
]
UnsafeLambda = Annotated[
    bool, typer.Option("--unsafe-lambda", help="Run the Python code that Lambda layers of the model hold.")
]
