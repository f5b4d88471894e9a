"""The command line: one module a verb, each thin. Here the verbs become one program with one way to fail."""

import os
import signal
import sys
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import typer

from toolkit import __version__, extras, host
from toolkit.cli.invocation import Invocation
from toolkit.cli.panels import VerbGroup
from toolkit.console import Console
from toolkit.errors import INTERRUPTED, ToolkitError, ToolkitWarning, UsageError
from toolkit.text import well_formed

UNEXPECTED = 1
# Exit code if the reader of the output has ended, as ``head`` does: that of programs that SIGPIPE ends.
UNREAD = 128 + signal.SIGPIPE

# The verbs by what they are for, in the order of the road, each with the first sentence of its help: the help imports
# none of them.
PANELS = {
    "Everything in one command": {
        "run": "Train, export, verify and bench, all of it in runs/NAME/.",
    },
    "Make a model": {
        "data": "Show, check and download data sets.",
        "train": "Train a model into runs/NAME/: weights, history, charts.",
        "study": "Train a grid of recipes, chart them, weigh what they say.",
        "report-study": "Write the report of a study anew, without training.",
        "search": "Search for the smallest networks within budgets.",
        "compress": "Make a trained model smaller, and prove that it is as good.",
        "export": "Export a trained model as quantized TFLite, ONNX or C.",
    },
    "Check it": {
        "verify": "Prove that artifacts classify like their Keras original.",
        "localize": "Compare an artifact with its Keras original layer by layer.",
        "diagnose": "Find out why a file does not answer as another model does.",
        "selftest": "Test verify: plant faults, show which check catches each.",
    },
    "Time it": {
        "bench": "Time artifacts, anybody's, and say which one to ship.",
        "compare": "Time two artifacts side by side: which is slower?",
        "certify": "Test the benchmark: which slow-downs can it see here?",
        "record": "Check, compare or plot the records of bench and verify.",
    },
    "Show it": {
        "report": "Write one page of everything that is known of an export.",
        "show": "Show what a model file computes, operator by operator.",
    },
    "Use it": {
        "predict": "Classify image files, or rows of values.",
        "serve": "Show a live page of artifacts, with an API.",
        "bundle": "Pack one file for a device: an artifact and what runs it.",
        "check-bundle": "Check that a bundle holds the files that were packed.",
        "device": "Time or verify artifacts on devices over SSH, side by side.",
        "wheels": "Download what a device without internet installs.",
        "doctor": "Show what works here, and how to mend what does not.",
    },
}
VERBS = {verb: summary for verbs in PANELS.values() for verb, summary in verbs.items()}


class Verbs(VerbGroup):
    """All verbs."""

    panels = PANELS


app = typer.Typer(
    cls=Verbs,
    name="toolkit",
    help="Train a small Keras classifier, export it, prove it is the same model, and time it on this machine.",
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"toolkit {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: bool = typer.Option(False, "--version", callback=_print_version, is_eager=True, help="Show the version."),
) -> None:
    """Take the options that belong to no verb."""


def call(arguments: Sequence[str]) -> int:
    """Run the command line and return its exit code; errors become one line on stderr."""
    console, invocation = Console(), Invocation()
    if reason := host.unsupported():
        console.warn(reason)
    try:
        _check_encoding(arguments)
        with _warnings_to(console):
            words = list(arguments) or ["--help"]
            code = int(app(words, prog_name="toolkit", standalone_mode=False, obj=invocation) or 0)
        if code == INTERRUPTED:  # Typer makes an exit code of Ctrl-C and says nothing
            console.error("interrupted")
        return code
    except SystemExit as error:  # by which Typer and rich end the program if nobody reads what they print
        if not isinstance(error.__context__, BrokenPipeError):
            raise
        return UNREAD
    except ToolkitError as error:
        return _fail(console, invocation, error, str(error), error.exit_code)
    except typer.TyperException as error:
        return _fail(console, invocation, error, _usage(error), UsageError.exit_code)
    except (typer.Abort, EOFError) as error:
        return _fail(console, invocation, error, "the input ended too early", UsageError.exit_code)
    except OSError as error:
        return _fail(console, invocation, error, _of_the_system(error), UsageError.exit_code)
    except UnicodeEncodeError as error:
        return _fail(console, invocation, error, _unwritable(error.object), UsageError.exit_code)
    except Exception as error:  # noqa: BLE001 — the last resort of the program, never of the library
        text = f"unexpected {type(error).__name__}: {error}; please report it with the output of the same with --debug"
        return _fail(console, invocation, error, text, UNEXPECTED)


@contextmanager
def _warnings_to(console: Console) -> Iterator[None]:
    """Print toolkit's own warnings as lines of the console, each time; others as Python does."""
    with warnings.catch_warnings():
        warnings.simplefilter("always", ToolkitWarning)
        show_others = warnings.showwarning

        def show(message: Warning | str, *where: Any, **more: Any) -> None:
            if isinstance(message, ToolkitWarning):
                console.warn(str(message))
            else:
                show_others(message, *where, **more)

        warnings.showwarning = show
        yield


def _check_encoding(arguments: Sequence[str]) -> None:
    """Raise UsageError for a name that is no text here: runtimes, records and JSON documents could not hold it."""
    for argument in arguments:
        if well_formed(argument) != argument:
            raise UsageError(_unwritable(argument))


def _of_the_system(error: OSError) -> str:
    """Say which file or folder it is about, and what the system said."""
    if isinstance(error, FileNotFoundError) and _is_here_gone():
        return "the current folder has been removed; change to another one"
    names = [os.fsdecode(name) for name in (error.filename, error.filename2) if isinstance(name, str | bytes)]
    text = error.strerror or str(error)
    if names and isinstance(error, FileExistsError | NotADirectoryError):
        path = Path(names[0])
        names = [str(next((one for one in (path, *path.parents) if one.is_file()), path))]
        text = "a file stands where a folder is needed"
    return f"{' → '.join(names)}: {text}" if names else text


def _is_here_gone() -> bool:
    try:
        Path.cwd()
    except FileNotFoundError:
        return True
    return False


def _unwritable(name: str) -> str:
    try:
        os.fsencode(name).decode()
    except UnicodeError:
        return f"{name}: not a name in UTF-8; rename it"
    return (
        f"{name}: the encoding of this environment, {sys.getfilesystemencoding()}, has not all characters of this name;"
        " set LC_ALL=C.UTF-8 or PYTHONUTF8=1"
    )


def _usage(error: typer.TyperException) -> str:
    """Return Typer's message, with what was given and where the help is."""
    text = error.format_message().rstrip(".").replace(": Value error, ", ": ")
    if problems := getattr(error.__cause__, "errors", None):  # pydantic's, which checked the value
        given = repr(problems()[0]["input"])
        if given not in text:
            text = text.replace("Invalid value", f"Invalid value {given}", 1)
    context = getattr(error, "ctx", None)
    return f"{text}; see: {context.command_path if context else 'toolkit'} --help"


def _fail(console: Console, invocation: Invocation, error: BaseException, text: str, code: int) -> int:
    if invocation.debug:
        console.traceback(error)
    console.error(text)
    return code


def main() -> int:
    """Run the command line of this process, and return its exit code."""
    extras.is_program = True
    return call(sys.argv[1:])
