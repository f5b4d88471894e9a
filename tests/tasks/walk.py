"""One task, from its data to a prediction: trained, exported, verified, timed, bundled, and asked on its own."""

import contextlib
import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tests.tasks.made import Task
from toolkit import api, archive, images, manifest
from toolkit.bench.record import Record
from toolkit.bundle.make import make
from toolkit.export.exporter import Exported
from toolkit.parity.result import Parity
from toolkit.prediction import Prediction, Refused
from toolkit.training.fit import Trained

QUANTIZATIONS = ("float32", "int8")
END = "\0"
# Runs programs, each with its arguments, one after the other: a process of its own for each would load numpy anew.
PROGRAMS = f"""
import json, runpy, sys
for sys.argv in json.loads(sys.argv[1]):
    try:
        runpy.run_path(sys.argv[0], run_name="__main__")
    except SystemExit as end:
        if end.code:
            raise
    print(end={END!r})
"""


@dataclass(frozen=True)
class Walked:
    """What came out.

    measured: one artifact of each runtime. predicted: by ``predict`` with the int8 artifact. printed: by the
    ``classify.py`` of a bundle of each artifact, of the golden and of the file that was asked about.
    """

    trained: Trained
    exported: Exported
    parity: Parity
    measured: Record
    predicted: list[Prediction | Refused]
    printed: dict[str, tuple[str, str]]
    answer: str


def walk(task: Task, folder: Path, *, seconds: float = 0.05, python: str | Path = sys.executable) -> Walked:
    """Walk the whole road in a folder. python: what runs the programs of the bundles."""
    (folder / "data").mkdir()
    made = task.make(folder / "data")
    with contextlib.chdir(folder):
        trained = api.train(task.model, data=made.data, name=task.name, epochs=task.epochs, reading=task.reading)
        exported = api.export(trained, quantize=QUANTIZATIONS)
        parity = api.verify(exported, data=made.data)
        onnx, int8 = (Path(exported) / f"{task.model}-int8.{suffix}" for suffix in ("onnx", "tflite"))
        measured = api.bench(onnx, int8, seconds=seconds, processes=1)
        predicted = api.predict([made.asked], int8)
        found = manifest.read(Path(exported))
        asked = _rows(made.asked, found)
        printed = _ask(found, asked, python)
    return Walked(trained, exported, parity, measured, predicted, printed, made.answer)


def _rows(asked: Path, found: manifest.Manifest) -> Path:
    """Return what the program of a bundle takes: an image as an array of what the model sees of it."""
    if asked.suffix != ".png":
        return asked
    height, width, channels = found.convention.row_shape(found.artifacts[0].inputs[0].shape)
    pixels = images.resize(images.read(asked, channels=channels), height=height, width=width, how="fit")
    np.save(asked.with_suffix(".npy"), pixels[np.newaxis])
    return asked.with_suffix(".npy")


def _ask(found: manifest.Manifest, asked: Path, python: str | Path) -> dict[str, tuple[str, str]]:
    """Unpack a bundle of each artifact, and return what its program prints without a file and with one."""
    programs = []
    for artifact in found.artifacts:
        bundle = make(found, artifact)
        assert archive.unpack(bundle.path, Path()) == []
        program = str(Path(bundle.name) / "classify.py")
        programs += [[program], [program, str(asked)]]
    command = (str(python), "-I", "-c", PROGRAMS, json.dumps(programs))
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    printed = done.stdout.split(END)[:-1]
    paths = [artifact.path for artifact in found.artifacts]
    return dict(zip(paths, zip(printed[::2], printed[1::2], strict=True), strict=True))
