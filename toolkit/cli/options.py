"""The options that several verbs share, alone and in groups, and the headings of the help that options stand under."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from toolkit import registry
from toolkit.api import BENCHMARKS as BENCHMARKS
from toolkit.api import EXPORTED as EXPORTED
from toolkit.cli.invocation import Invocation
from toolkit.console import Console
from toolkit.errors import INTERRUPTED, CheckFailedError
from toolkit.reading import AS_THEY_ARE, Reading, Resize, parse_keys, parse_size
from toolkit.training.device import DEVICES

OUTPUT, REMOTE, OWN = "Output", "Devices", "A model of your own"
READING, CLUSTER = "Reading data", "On a cluster"
_MODELS = registry.names("toolkit.models")

if TYPE_CHECKING:
    Device = str
    RuntimeName = str
else:  # Typer shows, completes and checks the values of a Literal.
    Device, RuntimeName = Literal[DEVICES], Literal[registry.names("toolkit.runtimes")]


def option(heading: str, text: str, *flags: str) -> Any:
    """Return an option that stands under a heading of the help."""
    return typer.Option(*flags, help=text, rich_help_panel=heading)


def _note_debug(context: typer.Context, value: bool) -> bool:
    if value and isinstance(context.obj, Invocation):
        context.obj.debug = True
    return value


Json = Annotated[bool, option(OUTPUT, "Print one JSON document on stdout, and nothing else there.", "--json")]
Debug = Annotated[
    bool,
    typer.Option(
        "--debug",
        help="Show the traceback of an error.",
        callback=_note_debug,
        is_eager=True,  # also if another option is then refused
        rich_help_panel=OUTPUT,
    ),
]


class Printer(Console):
    """The console of a verb, by the options that every verb has."""

    def __init__(self, json: Json = False, debug: Debug = False) -> None:
        super().__init__(json_output=json)

    def end(self, document: dict[str, Any], *, passed: object) -> int:
        """Print the JSON document of a verb that checks something, and return its exit code."""
        self.document(document)
        return 0 if passed else CheckFailedError.exit_code

    def interrupt(self, summary: str, document: dict[str, Any]) -> int:
        """Print how far a verb is that Ctrl-C ended, and return its exit code."""
        self.warn(f"interrupted: {summary}; call the same again to go on")
        self.document(document)
        return INTERRUPTED


DataChoice = Annotated[
    str,
    typer.Option(
        help="auto, mnist, fashion-mnist, sample, or a path: .npz, .csv, folder of IDX files, folder of images, of "
        "recordings or of sounds."
    ),
]
ModelChoice = Annotated[
    str,
    typer.Option(
        help="The network to train; tiny takes a shape, as in tiny:width=8,depth=3. A Python file with a function "
        "build() is run, a Keras file is trained further.",
        metavar=f"<{'|'.join((*_MODELS, 'FILE.py', 'FILE.keras'))}>",
        autocompletion=lambda: list(_MODELS),
    ),
]
Epochs = Annotated[int, typer.Option(help="How often the training goes through all training rows.")]
TrainingSeed = Annotated[int, typer.Option(help="Seed of the first weights and of the order of rows.")]
RunName = Annotated[str | None, typer.Option(help="Name of the run; default: the model and the time.")]
DeviceChoice = Annotated[Device, typer.Option(help="Where to train; auto: on a GPU if there is one.")]
AllowOverlap = Annotated[
    bool,
    typer.Option("--allow-overlap", help="Go on where test images are training images too; every figure is marked."),
]
InputRange = Annotated[
    str | None,
    typer.Option(
        help="What pixels of 0 and 255 become: 0..1, 0..255, -1..1 or MEAN,STD; bgr: before it for blue first. "
        "Default: what the file says."
    ),
]
Runtime = Annotated[
    RuntimeName | None,
    typer.Option(
        help="The runtime of the files; those that it does not run are left out. Default: the usual one of each file."
    ),
]
Paths = Annotated[list[Path] | None, typer.Argument(help="Files or folders; default: exported/", show_default=False)]
Records = Annotated[Path, option(OUTPUT, "The folder that gets a folder per record.", "--output")]
TestData = Annotated[
    str | None, typer.Option(help="The data set whose test images are used; default: the one of the manifest.")
]
Margin = Annotated[float, typer.Option(help="Accuracy that may be lost, in percentage points.")]
Seconds = Annotated[float, typer.Option(help="How long each configuration is measured, over all its processes.")]


@dataclass(frozen=True)
class MeasuringOptions:
    """How long and in which order something is measured."""

    seconds: Seconds = 1.0
    processes: Annotated[
        int,
        typer.Option(
            help="How many processes measure each configuration, one after the other; twice as many if two "
            "artifacts are timed side by side."
        ),
    ] = 5
    seed: Annotated[int, typer.Option(help="Seed of the random order in which configurations are measured.")] = 0


@dataclass(frozen=True)
class DeviceOptions:
    """On which devices something is done."""

    on: Annotated[
        list[str],
        option(
            REMOTE, "A device over SSH: user@host, or a name of ~/.ssh/config. Give it once for each device.", "--on"
        ),
    ]
    wheels: Annotated[
        Path | None, option(REMOTE, "For a device without internet: the folder that 'toolkit wheels' has filled.")
    ] = None


@dataclass(frozen=True)
class LoadingOptions:
    """What code a Keras model may run when it is loaded."""

    imports: Annotated[
        list[Path] | None,
        option(OWN, "A Python file with layers of the model that are not Keras' own; it is run.", "--import"),
    ] = None
    unsafe_lambda: Annotated[
        bool, option(OWN, "Run the Python code that Lambda layers of the model hold.", "--unsafe-lambda")
    ] = False

    @property
    def arguments(self) -> dict[str, Any]:
        """The same as arguments of the API."""
        return {"imports": self.imports or (), "unsafe_lambda": self.unsafe_lambda}

    @property
    def words(self) -> list[str]:
        """The options of the command line that say so."""
        files = [word for file in self.imports or () for word in ("--import", str(file))]
        return [*files, *(["--unsafe-lambda"] if self.unsafe_lambda else [])]


@dataclass(frozen=True)
class ClusterOptions:
    """On which cluster runs are trained: arguments of ``api.study`` and ``api.search``."""

    ray: Annotated[str | None, option(CLUSTER, "Train on a Ray cluster: auto (of this machine) or HOST:PORT.")] = None
    run_cpus: Annotated[int, option(CLUSTER, "CPUs that each run asks for.")] = 1
    run_gpus: Annotated[float, option(CLUSTER, "GPUs that each run asks for; a part of one for several.")] = 0.0


@dataclass(frozen=True)
class ReadingOptions:
    """How data are read."""

    image_size: Annotated[
        str | None,
        option(READING, "Height and width of a folder's images, HxW; default: the model's, else that of most of them."),
    ] = None
    resize: Annotated[
        Resize | None,
        option(READING, "How images of other sizes are brought to it; default: fit, which pads.", "--resize"),
    ] = None
    skip_unreadable: Annotated[bool, option(READING, "Leave out images that cannot be read.", "--skip-unreadable")] = (
        False
    )
    keys: Annotated[
        str | None,
        option(
            READING,
            "What arrays of a .npz file are called: x_train=NAME,y_train=NAME; or a table's column of labels: "
            "label=NAME.",
        ),
    ] = None
    window: Annotated[
        int | None, option(READING, "Rows of a recording, or samples of a sound, that the model sees at a time.")
    ] = None
    stride: Annotated[
        int | None, option(READING, "Rows from one window of a recording to the next; default: --window.")
    ] = None

    @property
    def asked(self) -> Reading | None:
        """How data are to be read; None if nothing is asked for."""
        size = None if self.image_size is None else parse_size(self.image_size)
        keys = None if self.keys is None else parse_keys(self.keys)
        asked = Reading(**{**vars(self), "image_size": size, "keys": keys})
        return None if asked == AS_THEY_ARE else asked


def given(context: typer.Context) -> dict[str, str]:
    """Return the parameters that the command line gives, by name, each with its flag."""
    flags = {one.name: one.opts[0] for one in context.command.params if one.name}
    sources = {name: context.get_parameter_source(name) for name in flags}
    return {name: flags[name] for name, source in sources.items() if source and source.name == "COMMANDLINE"}
