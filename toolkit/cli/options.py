"""The options that several verbs share."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

import typer

from toolkit.api import EXPORTED as EXPORTED

if TYPE_CHECKING:
    from toolkit.reading import Reading, Resize

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
Paths = Annotated[list[Path] | None, typer.Argument(help="Files or folders; default: exported/", show_default=False)]

# Exit code of a command that Ctrl-C ended: 128 + SIGINT, as shells have it.
INTERRUPTED = 130

_READING = "Reading data"
ImageSize = Annotated[
    str | None,
    typer.Option(
        metavar="HxW",
        help="Height and width of the images of a folder; default: their own, or what most of them have.",
        rich_help_panel=_READING,
    ),
]
ResizeTo = Annotated[
    str | None,
    typer.Option(
        help="How images of other sizes are brought to it: fit (padded; the default), crop or stretch.",
        rich_help_panel=_READING,
    ),
]
SkipUnreadable = Annotated[
    bool,
    typer.Option("--skip-unreadable", help="Leave out images that cannot be read.", rich_help_panel=_READING),
]
Keys = Annotated[
    str | None,
    typer.Option(metavar="x_train=NAME,…", help="What the arrays of a .npz file are called.", rich_help_panel=_READING),
]


def reading(image_size: str | None, resize: str | None, skip_unreadable: bool, keys: str | None) -> "Reading | None":
    """Return how data are to be read; None where nothing is asked for."""
    from toolkit.reading import AS_THEY_ARE, Reading, keys_of, size_of

    asked = Reading(
        image_size=None if image_size is None else size_of(image_size),
        resize=cast("Resize | None", resize),
        skip_unreadable=skip_unreadable,
        keys={} if keys is None else keys_of(keys),
    )
    return None if asked == AS_THEY_ARE else asked
