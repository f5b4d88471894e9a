"""Every verb that writes, on small input: where it starts, how it is called, and how it is called again."""

import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tests.bench import made_up
from tests.conftest import tiny_arrays
from tests.kill.calls import index
from tests.kill.servers import Box, Server
from toolkit.training.checkpoint import STATE

SHIPPED = Path(__file__).parents[2] / "exported" / "mlp"
RUN, EXPORT = "first", "exported/mlp"
TRAIN = ("train", "--data", "tiny.npz", "--model", "mlp", "--epochs", "2", "--name", RUN)
STUDY = ("study", "--data", "tiny.npz", "--model", "mlp", "--optimizer", "adam", "--activation", "relu")
SMALL_STUDY = (*STUDY, "--learning-rate", "0.01", "--epochs", "2")
BENCH = ("bench", "--processes", "2", "--seconds", "0.05", f"{EXPORT}/mlp-int8.tflite")


@dataclass(frozen=True)
class Verb:
    """One call. start: the folder that it is called in, by its name in STARTS.

    some: at how many of its writes it is killed, None for each. random: kills at random moments. again_each: of so many
    kills one is followed by the verb again. again: how it is called then. worker: about how many writes the process
    makes that it starts and is killed with, at some of those writes; 0 where it is killed at its own.
    """

    name: str
    start: str
    arguments: tuple[str, ...]
    some: int | None = None
    random: int = 10
    again_each: int = 1
    again: Callable[[Path, "Verb"], Sequence[str]] = lambda here, verb: verb.arguments
    worker: int = 0


def _resumed(here: Path, verb: Verb) -> Sequence[str]:
    """Go on with the run where an epoch was finished, as a user would."""
    name = verb.arguments[-1]
    return ("train", "--resume", "--name", name) if (here / "runs" / name / STATE).is_file() else verb.arguments


def _another_road(here: Path, verb: Verb) -> Sequence[str]:
    """A run of that name may be there, and is not taken for another: take another name."""
    return (*verb.arguments[:-1], "again")


# What needs no TensorFlow.
LIGHT = (
    Verb("record plot", "shipped", ("record", "plot", "old", "plot.svg")),
    Verb("bench --resume", "shipped", ("tests.kill.calls.join", "old", "new")),
    Verb("bundle", "shipped", ("bundle", f"{EXPORT}/mlp-int8.tflite")),
    Verb("check-bundle", "shipped", ("check-bundle", "packed.zip")),
    Verb("verify --golden --flips", "shipped", ("verify", EXPORT, "--golden", "--flips", "flips.png")),
    Verb("data --fetch", "shipped", ("tests.kill.calls.fetch", "packed.zip")),
    Verb("wheels", "indexed", ("tests.kill.calls.fill", "wheels"), some=90, again_each=4),
)
HEAVY = (
    Verb("train", "empty", TRAIN, random=40, again_each=8, again=_resumed),
    Verb("train --resume", "trained", ("train", "--resume", "--epochs", "4", "--name", RUN), random=40, again_each=8),
    Verb("export", "trained", ("export", RUN), random=30, again_each=8),
    Verb("export, again", "exported", ("export", RUN, "--calibration", "50"), random=20, again_each=8),
    Verb(
        "export of an export",
        "exported",
        ("export", EXPORT, "--data", "tiny.npz", "--calibration", "50"),
        some=20,
        again_each=2,
    ),
    Verb("verify --save", "exported", ("verify", EXPORT, "--save", "--data", "tiny.npz"), again_each=3),
    Verb("verify --save, again", "verified", ("verify", EXPORT, "--save", "--data", "tiny.npz"), again_each=3),
    Verb("localize", "exported", ("localize", f"{EXPORT}/mlp-int8.tflite"), again_each=4),
    Verb("bench", "exported", (*BENCH, f"{EXPORT}/mlp-int8.onnx"), random=20, again_each=8),
    Verb("bench --explain", "exported", (*BENCH, "--explain"), some=12, again_each=8),
    Verb("study", "empty", SMALL_STUDY, some=12, random=20, again_each=8),
    Verb("study, its worker", "empty", SMALL_STUDY, some=30, random=0, again_each=8, worker=150),
    Verb("report-study", "studied", ("report-study",), again_each=8),
    Verb(
        "run",
        "empty",
        ("run", "--data", "tiny.npz", "--model", "mlp", "--epochs", "2", "--seconds", "0.05", "--name", RUN),
        some=12,
        random=8,
        again_each=8,
        again=_another_road,
    ),
)


def _shipped(box: Box, server: Server) -> None:
    """A part of a folder of this project, two records that hold the same artifact, and a bundle."""
    folder = box.here / EXPORT
    folder.mkdir(parents=True)
    for name in ("mlp-int8.tflite", "mlp-int8.onnx", "golden.npz", "manifest.json", "README.md"):
        shutil.copyfile(SHIPPED / name, folder / name)
    for number, name in enumerate(("old", "new")):
        record = made_up.record()
        record.folder = box.here / name
        record.results = [made_up.result(1e-4, seed=number)]
        record.results[0].write_samples(record.folder)
        record.save()
    call(server, box, "bundle", f"{EXPORT}/mlp-int8.tflite", "--output", "packed.zip")


def _indexed(box: Box, server: Server) -> None:
    index(box.here / "index")


def _empty(box: Box, server: Server) -> None:
    names = ("x_train", "y_train", "x_test", "y_test")
    np.savez(box.here / "tiny.npz", **dict(zip(names, tiny_arrays(), strict=True)))


# How a folder to start in is made: from another, by a function or by calls.
STARTS: dict[str, tuple[str | None, Callable[[Box, Server], None]]] = {
    "shipped": (None, _shipped),
    "indexed": (None, _indexed),
    "empty": (None, _empty),
    "trained": ("empty", lambda box, server: call(server, box, *TRAIN)),
    "exported": ("trained", lambda box, server: call(server, box, "export", RUN)),
    "verified": ("exported", lambda box, server: call(server, box, "verify", EXPORT, "--save", "--data", "tiny.npz")),
    "studied": ("empty", lambda box, server: call(server, box, *SMALL_STUDY)),
}


def call(server: Server, box: Box, *arguments: str) -> None:
    """Call a verb that makes a part of a folder; an undecided verdict is none of its failures."""
    ended = server.call(box, arguments)
    assert ended.code in (0, 3), box.log.read_text(encoding="utf-8")


def start(name: str, folder: Path, server: Server) -> Box:
    """Return the folder of that name, which is made where it is not there, with those that it is made from."""
    box = Box(folder / name)
    if not box.folder.exists():
        origin, fill = STARTS[name]
        if origin:
            shutil.copytree(start(origin, folder, server).folder, box.folder)
        fill(box.make(), server)
    return box
