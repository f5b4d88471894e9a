"""Verbs, from their command line to their exit code."""

import contextlib
import io
import json
import shutil

import numpy as np
import pytest
from hypothesis import strategies as st
from PIL import Image

from tests.bench import made_up
from tests.fuzz import changes, made
from tests.fuzz.target import Target
from tests.fuzz.targets.datasets import by_class, recording, sound, table
from toolkit import manifest
from toolkit.cli import call
from toolkit.errors import ToolkitError

ALLOWED = (0, 1, 2, 3)


def verb(*arguments):
    """Return what calls a verb on the folder and raises ToolkitError where it ends in one line, AssertionError else."""

    def read(folder):
        out, err = io.StringIO(), io.StringIO()
        with contextlib.chdir(folder), contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = call(arguments)
        said = err.getvalue()
        assert code in ALLOWED, f"exit code {code}: {said}"
        assert "unexpected " not in said, said
        assert "Traceback" not in said, said
        if code:
            raise ToolkitError(said.strip().splitlines()[-1] if said.strip() else "a check failed")

    return read


def _folder(*names):
    def prepare(folder):
        made.artifacts(folder)
        Image.fromarray(np.eye(28, dtype=np.uint8) * 255).save(folder / "digit.png")
        return [folder / name for name in names]

    return prepare


def _whole(folder):
    """Make a folder with the Keras original, which doctor asks for."""
    shutil.copyfile(made.SHIPPED / "mlp.keras", folder / "mlp.keras")
    return _MODELS(folder)


def _doctor(folder):
    """Call doctor, whose worker also imports TensorFlow: in more seconds than a child gives its workers."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TOOLKIT_WORKER_SECONDS", "120")
        verb("doctor", ".")(folder)


def _records(folder):
    for name in ("old", "new"):
        (folder / name).mkdir()
        made.benchmark(folder / name)
    return [folder / "new" / "record.json", folder / "old" / "record.json"]


def _reported(folder):
    """Make an export with a benchmark of it: of two results, with accuracies, so that there is a front too."""
    files = _folder("manifest.json", "parity.json")(folder)
    (folder / "new").mkdir()
    record = made_up.record()
    record.folder = folder / "new"
    for number, artifact in enumerate(manifest.read(folder).artifacts):
        facts = {"path": folder / artifact.path, "sha256": artifact.sha256, "accuracy": artifact.accuracy}
        record.results.append(made_up.result(1e-4 * (1 + number), samples=f"{number}.npz", **facts))
        record.results[-1].write_samples(record.folder)
    record.save()
    return [*files, record.folder / "record.json"]


def _study(folder):
    made.study(folder / "runs" / "study")
    (metrics,) = folder.rglob("metrics.json")
    shutil.copyfile(made.SHIPPED / "mlp.keras", metrics.parent / "best.keras")
    return [path for name in ("study.json", "metrics.json") for path in folder.rglob(name)]


def _arrays(folder):
    arrays = {"x_train": made.pixels(30, 6, 6), "y_train": made.labels(30)}
    np.savez_compressed(folder / "data.npz", **arrays, x_test=made.pixels(12, 6, 6, seed=1), y_test=made.labels(12))


def _run(folder):
    """Train for an epoch, on few images."""
    _arrays(folder)
    verb(*TRAIN)(folder)
    return [folder / "runs" / "small" / name for name in ("state.npz", "best.keras")]


SOURCES = ("data.npz", "table.csv", "recordings", "sounds", "nothing", "")
FLAGS = ("--keys", "--image-size", "--resize", "--window", "--stride", "--skip-unreadable", "--fetch", "--json")
VALUES = ["label=species", "x_train=a,y_train=b", "kind=values", "label=", "=", "0", "-1", "4", "9" * 40, "1e3", "nan"]
VALUES += ["96x96", "0x0", "9x" * 9, "fit", "crop", "../x", "\x1b[31m", "µ", "x" * 5000]


def _sources(folder):
    """Make a data set of each kind, and the arguments of a call."""
    _arrays(folder)
    table(folder / "table.csv")
    by_class(recording, ".csv")((folder / "recordings").mkdir() or folder / "recordings")
    by_class(sound, ".wav")((folder / "sounds").mkdir() or folder / "sounds")
    (folder / "arguments.json").write_text(json.dumps(["table.csv"]))
    return [folder / "arguments.json"]


def _arguments(content):
    """Return a strategy of sources and options with values that make sense for some of them, or for none."""
    values = st.sampled_from(VALUES) | st.text(
        st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=9
    )
    options = st.lists(st.tuples(st.sampled_from(FLAGS), values), max_size=4)
    calls = st.tuples(st.lists(st.sampled_from(SOURCES), max_size=2), options)
    return calls.map(lambda call: json.dumps([*call[0], *(word for option in call[1] for word in option)]).encode())


def _data(folder):
    verb("data", *json.loads((folder / "arguments.json").read_bytes()))(folder)


TRAIN = ("train", "--model", "mlp", "--data", "data.npz", "--epochs", "1", "--name", "small")
_MODELS = _folder(*made.ARTIFACTS)
_VERIFY = verb("verify", "--golden", ".")
TARGETS = {
    "verify --golden, artifacts": Target(60, _MODELS, _VERIFY, changes.in_place, made.mend),
    "verify --golden, a manifest": Target(60, _folder("manifest.json"), _VERIFY, changes.as_json, made.mend),
    "predict, an image": Target(80, _folder("digit.png"), verb("predict", "digit.png", "--model", "mlp-int8.tflite")),
    "predict, a model": Target(
        60, _MODELS, verb("predict", "digit.png", "--model", "mlp-int8.onnx"), changes.in_place, made.mend
    ),
    "bench": Target(
        20, _MODELS, verb("bench", ".", "--seconds", "0.05", "--processes", "1"), changes.in_place, made.mend
    ),
    "record compare": Target(60, _records, verb("record", "compare", "old", "new"), changes.as_json),
    "data": Target(300, _sources, _data, _arguments),
    "report": Target(40, _reported, verb("report", ".", "--record", "new"), changes.as_json, made.mend),
    "bundle, a manifest": Target(
        60, _folder("manifest.json"), verb("bundle", "mlp-int8.tflite", "--output", "b.zip"), changes.as_json
    ),
    "doctor": Target(10, _whole, _doctor, changes.in_place, made.mend),
    "export": Target(15, _run, verb("export", "runs/small", "--data", "data.npz")),
    "report-study": Target(15, _study, verb("report-study", "--name", "study"), changes.as_json),
    "train --resume": Target(30, _run, verb(*TRAIN, "--resume"), changes.as_zip),
}
