"""Every verb that writes, on small input: where it starts, how it is called, and how it is called again."""

import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from tests.bench import made_up
from tests.conftest import tiny_arrays
from tests.kill.calls import index
from tests.kill.servers import Box, Ended, Server
from toolkit.report.write import BROWSERS
from toolkit.training.checkpoint import STATE

SHIPPED = Path(__file__).parents[2] / "exported" / "mlp"
RUN, FURTHER, EXPORT = "first", "further", "exported/mlp"
# Beside the folder that is looked at: what is in there, toolkit does not write.
SAVED = "../home/saved"
TRAIN = ("train", "--data", "tiny.npz", "--model", "mlp", "--epochs", "2", "--name", RUN)
TRAIN_FURTHER = ("train", "--data", "tiny.npz", "--model", f"runs/{RUN}/best.keras", "--epochs", "3")
STUDY = ("study", "--data", "tiny.npz", "--model", "mlp", "--optimizer", "adam", "--activation", "relu")
SMALL_STUDY = (*STUDY, "--learning-rate", "0.01", "--epochs", "2")
SEARCH = (
    *("search", "--data", "tiny.npz", "--trials", "2", "--epochs", "2"),
    *("--final-epochs", "2", "--finalists", "1"),
)
COMPRESS = ("compress", RUN, "--max-size", "2900B", "--min-accuracy", "40", "--epochs", "1")
AGAINST = (
    *("verify", f"{EXPORT}/mlp-int8.tflite", "--against", f"{EXPORT}/mlp.keras"),
    *("--data", "tiny.npz", "--flips", "flips.png"),
)
BENCH = ("bench", "--processes", "2", "--seconds", "0.05", f"{EXPORT}/mlp-int8.tflite")


@dataclass(frozen=True)
class Verb:
    """One call. start: the folder that it is called in, by its name in STARTS.

    some: at how many of its writes it is killed, None for each. random: kills at random moments. again_each: of so many
    kills one is followed by the verb again. again: how it is called then. worker: about how many writes the process
    makes that it starts and is killed with, at some of those writes; 0 where it is killed at its own. run: the name of
    one whose weights must then be those of a run that nobody killed, to the last bit. mend: what a user calls for files
    of the killed call that do not agree, where the verb, called again, writes to another folder.
    """

    name: str
    start: str
    arguments: tuple[str, ...]
    some: int | None = None
    random: int = 10
    again_each: int = 1
    again: Callable[[Path, "Verb"], Sequence[str]] = lambda here, verb: verb.arguments
    worker: int = 0
    run: str | None = None
    mend: tuple[str, ...] = ()


def _resumed(here: Path, verb: Verb) -> Sequence[str]:
    """Go on with the run where an epoch was finished, as a user would."""
    name, model = verb.arguments[-1], verb.arguments[verb.arguments.index("--model") + 1]
    again = ("train", "--resume", "--model", model, "--name", name)
    return again if (here / "runs" / name / STATE).is_file() else verb.arguments


def _another_road(here: Path, verb: Verb) -> Sequence[str]:
    """A run of that name may be there, and is not taken for another: take another name."""
    return (*verb.arguments[:-1], "again")


# Verbs that are no target: they write to scratch folders alone, which the next verb removes after a kill.
WRITE_NOTHING = {"compare", "diagnose", "doctor", "selftest", "serve"}
# What needs no TensorFlow.
LIGHT = (
    Verb("record plot", "shipped", ("record", "plot", "old", "plot.svg")),
    Verb("device bench --resume", "shipped", ("tests.kill.calls.join", "old", "new")),
    Verb("bundle", "shipped", ("bundle", f"{EXPORT}/mlp-int8.tflite")),
    Verb("check-bundle", "shipped", ("check-bundle", "packed.zip")),
    Verb("verify --golden --flips", "shipped", ("verify", EXPORT, "--golden", "--flips", "flips.png")),
    Verb("data --fetch", "shipped", ("tests.kill.calls.fetch", "packed.zip")),
    Verb("report --output", "shipped", ("report", EXPORT, "--output", "page.html")),
    *(
        [
            Verb(
                "report --pdf",
                "shipped",
                ("report", EXPORT, "--output", "page.html", "--pdf"),
                some=10,
                random=5,
                again_each=2,
            )
        ]
        if any(map(shutil.which, BROWSERS))
        else []
    ),
    Verb("show --svg", "shipped", ("show", f"{EXPORT}/mlp-int8.tflite", "--svg", "graph.svg")),
    Verb(
        "predict --explain",
        "shipped",
        ("predict", "digit.png", "--model", f"{EXPORT}/mlp-int8.tflite", "--explain", "seen.png"),
    ),
    Verb("data, many photos", "photos", ("tests.kill.calls.photos", "photos")),
    Verb(
        "certify", "shipped", ("tests.kill.calls.certify", f"{EXPORT}/mlp-int8.tflite"), some=10, random=5, again_each=4
    ),
    Verb("wheels", "indexed", ("tests.kill.calls.fill", "wheels"), some=90, again_each=4),
)
HEAVY = (
    Verb("train", "empty", TRAIN, random=40, again_each=8, again=_resumed, run=RUN),
    Verb(
        "train --resume",
        "trained",
        ("train", "--resume", "--epochs", "4", "--name", RUN),
        random=40,
        again_each=8,
        run=RUN,
    ),
    Verb(
        "train --augment --model FILE.keras",
        "trained",
        (*TRAIN_FURTHER, "--augment", "shift,rotate,contrast", "--name", FURTHER),
        some=24,
        random=10,
        again_each=4,
        again=_resumed,
        run=FURTHER,
    ),
    Verb("train, after a trial", "empty", ("tests.kill.calls.tried", "tiny.npz"), some=20, again_each=4),
    Verb("export, a SavedModel", "saved", ("tests.kill.calls.freeze", SAVED), some=5, random=3, again_each=2),
    Verb("export", "trained", ("export", RUN), random=30, again_each=8),
    Verb("export, again", "exported", ("export", RUN, "--calibration", "50"), random=20, again_each=8),
    Verb(
        "export of an export",
        "exported",
        ("export", EXPORT, "--data", "tiny.npz", "--calibration", "50"),
        some=12,
        random=5,
        again_each=2,
    ),
    Verb("verify --save", "exported", ("verify", EXPORT, "--save", "--data", "tiny.npz"), some=30, again_each=5),
    Verb("verify --save, again", "verified", ("verify", EXPORT, "--save", "--data", "tiny.npz"), again_each=3),
    Verb("verify --against", "exported", AGAINST, some=8, random=4, again_each=4),
    Verb("localize", "exported", ("localize", f"{EXPORT}/mlp-int8.tflite"), random=4, again_each=4),
    Verb("bench", "exported", (*BENCH, f"{EXPORT}/mlp-int8.onnx"), random=20, again_each=8),
    Verb("bench --explain", "exported", (*BENCH, "--explain"), some=12, again_each=8),
    Verb("bench --tune", "exported", (*BENCH, "--tune"), some=8, random=4, again_each=4),
    Verb("study", "empty", SMALL_STUDY, some=12, random=8, again_each=8),
    Verb("study, its worker", "empty", SMALL_STUDY, some=30, random=0, again_each=8, worker=150),
    Verb("search", "empty", SEARCH, some=3, random=2, again_each=4),
    Verb("compress", "trained", COMPRESS, some=2, random=1, again_each=3),
    Verb("report-study", "studied", ("report-study",), again_each=8),
    Verb("search --show", "searched", ("search", "--show", "search"), some=8, random=4, again_each=4),
    Verb(
        "run",
        "empty",
        ("run", "--data", "tiny.npz", "--model", "mlp", "--epochs", "2", "--seconds", "0.05", "--name", RUN),
        some=8,
        random=4,
        again_each=4,
        again=_another_road,
        mend=("verify", f"runs/{RUN}/exported/mlp", "--save", "--data", "tiny.npz"),
    ),
)


def _shipped(box: Box, server: Server) -> None:
    """A part of a folder of this project, two records that hold the same artifact, a bundle and an image."""
    folder = box.here / EXPORT
    folder.mkdir(parents=True)
    for name in ("mlp-int8.tflite", "mlp-int8.onnx", "golden.npz", "novelty.npz", "manifest.json", "README.md"):
        shutil.copyfile(SHIPPED / name, folder / name)
    for number, name in enumerate(("old", "new")):
        record = made_up.record()
        record.folder = box.here / name
        record.results = [made_up.result(1e-4, seed=number)]
        record.results[0].write_samples(record.folder)
        record.save()
    call(server, box, "bundle", f"{EXPORT}/mlp-int8.tflite", "--output", "packed.zip")
    Image.fromarray(np.eye(28, dtype=np.uint8) * 255).save(box.here / "digit.png")


def _photos(box: Box, server: Server) -> None:
    """A folder of two classes of photos."""
    for number in range(12):
        folder = box.here / "photos" / ("cats", "dogs")[number % 2]
        folder.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.full((6, 6), 20 * number, np.uint8)).save(folder / f"{number}.png")


def _indexed(box: Box, server: Server) -> None:
    index(box.here / "index")


def _empty(box: Box, server: Server) -> None:
    names = ("x_train", "y_train", "x_test", "y_test")
    np.savez(box.here / "tiny.npz", **dict(zip(names, tiny_arrays(), strict=True)))


# How a folder to start in is made: from another, by a function or by calls.
STARTS: dict[str, tuple[str | None, Callable[[Box, Server], None]]] = {
    "shipped": (None, _shipped),
    "indexed": (None, _indexed),
    "photos": (None, _photos),
    "empty": (None, _empty),
    "trained": ("empty", lambda box, server: call(server, box, *TRAIN)),
    "saved": (
        "trained",
        lambda box, server: call(server, box, "tests.kill.calls.save", f"runs/{RUN}/best.keras", SAVED),
    ),
    "exported": ("trained", lambda box, server: call(server, box, "export", RUN)),
    "verified": ("exported", lambda box, server: call(server, box, "verify", EXPORT, "--save", "--data", "tiny.npz")),
    "studied": ("empty", lambda box, server: call(server, box, *SMALL_STUDY)),
    "searched": ("empty", lambda box, server: call(server, box, *SEARCH)),
}


def origins(name: str) -> list[str]:
    """Return the folders that a folder to start in is made from, the nearest first."""
    origin = STARTS[name][0]
    return [] if origin is None else [origin, *origins(origin)]


def call(server: Server, box: Box, *arguments: str) -> Ended:
    """Call a verb to its end, which must not be an error; whatever its verdict, it is none."""
    ended = server.call(box, arguments)
    assert ended.code in (0, 1, 3), box.log.read_text(encoding="utf-8")
    return ended


def start(name: str, folder: Path, server: Server) -> Box:
    """Return the folder of that name, which is made where it is not there, with those that it is made from."""
    box = Box(folder / name)
    if not box.folder.exists():
        origin, fill = STARTS[name]
        if origin:
            shutil.copytree(start(origin, folder, server).folder, box.folder)
        fill(box.make(), server)
    return box
