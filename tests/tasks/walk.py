"""One task, from its data to a prediction: trained, exported, verified, timed, bundled, and asked on its own."""

import contextlib
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from tests.tasks.made import Task
from toolkit import api, archive, manifest
from toolkit.bench.record import Record
from toolkit.bundle.make import make
from toolkit.export.exporter import Exported
from toolkit.parity.result import Parity
from toolkit.prediction import Prediction, Refused
from toolkit.training.fit import Trained

QUANTIZATIONS = ("float32", "int8")


@dataclass(frozen=True)
class Walked:
    """What came out.

    predicted: by ``predict`` with the int8 artifact. printed: by the ``classify.py`` of a bundle of each artifact, of
    the golden and of the file that was asked about.
    """

    trained: Trained
    exported: Exported
    parity: Parity
    measured: Record
    predicted: list[Prediction | Refused]
    printed: dict[str, tuple[str, str]]
    answer: str


def walk(task: Task, folder: Path, *, seconds: float = 0.05) -> Walked:
    """Walk the whole road in a folder."""
    (folder / "data").mkdir()
    made = task.make(folder / "data")
    with contextlib.chdir(folder):
        trained = api.train(task.model, data=made.data, name=task.name, epochs=task.epochs, reading=task.reading)
        exported = api.export(trained, quantize=QUANTIZATIONS)
        parity = api.verify(exported, data=made.data)
        measured = api.bench(exported, seconds=seconds, processes=1)
        int8 = Path(exported) / f"{task.model}-int8.tflite"
        predicted = api.predict([made.asked], int8)
        found = manifest.read(Path(exported))
        printed = {artifact.path: _ask(found, artifact, made.asked) for artifact in found.artifacts}
    return Walked(trained, exported, parity, measured, predicted, printed, made.answer)


def _ask(found: manifest.Manifest, artifact: manifest.Artifact, asked: Path) -> tuple[str, str]:
    """Unpack a bundle of the artifact, and return what its program prints without a file and with one."""
    bundle = make(found, artifact)
    assert archive.unpack(bundle.path, Path()) == []
    program = (sys.executable, "-I", str(Path(bundle.name) / "classify.py"))
    golden, answers = (
        subprocess.run([*program, *files], capture_output=True, text=True, check=False) for files in ((), (str(asked),))
    )
    assert golden.returncode == answers.returncode == 0, golden.stdout + golden.stderr + answers.stderr
    return golden.stdout, answers.stdout
