"""A tiny data set and tiny models, made once a session: everything else in the tests builds on them."""

import fcntl
import os
import shutil
from collections.abc import Callable
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from tests import stored
from toolkit import golden, manifest
from toolkit.cli import call
from toolkit.data.base import Dataset, make_dataset
from toolkit.entries import EvaluationSet, Verification
from toolkit.parity import reference
from toolkit.verdict import Verdict

pytest_plugins = ["tests.mnist", "tests.quick"]

CLASSES = 3
SIDE = 8
SHIPPED = Path(__file__).parents[1] / "exported" / "mlp"
SHIPPED_FILES = (
    "mlp-int8.tflite",
    "mlp-int8.onnx",
    "golden.npz",
    "novelty.npz",
    "manifest.json",
    "parity.json",
    "parity.npz",
    "README.md",
)
# The files that take longest, each minutes beside others: the alphabet puts some of them last.
LONGEST = ("tasks/test_tasks.py", "compress/test_command.py", "export/test_applications.py", "test_road.py")


def tiny_arrays(seed: int = 0, train: int = 240, test: int = 90):
    """Images with one bright corner each: the corner is the class."""
    rng = np.random.default_rng(seed)
    parts = []
    for count in (train, test):
        labels = np.arange(count) % CLASSES
        images = rng.integers(0, 120, (count, SIDE, SIDE)).astype(np.uint8)
        for row, label in enumerate(labels):
            top, left = divmod(int(label), 2)
            images[row, 4 * top : 4 * top + 4, 4 * left : 4 * left + 4] += 90
        parts += [images, labels.astype(np.uint8)]
    return tuple(parts)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items):
    """Sort the files: the longest first, since the last of them would run alone in the end."""
    longest = {Path(__file__).parent / name for name in LONGEST}
    long = {item.path for item in items if any(item.iter_markers("slow")) or any(item.iter_markers("road"))}
    items.sort(key=lambda item: (item.path not in longest, item.path not in long))


def verification(verdict: str, accuracy: float | None = None) -> Verification:
    """What a verify result of an artifact comes to, as a manifest keeps it."""
    images = EvaluationSet("tiny", ())
    return Verification(Verdict(verdict), accuracy, accuracy, 0, 0, n=90, margin_pp=0.5, dataset=images)


@pytest.fixture(scope="session", autouse=True)
def _own_environment(tmp_path_factory):
    """No test reads or writes the caches of whoever runs it; what they say of MNIST is kept for the mnist tests."""
    saved = {name: os.environ.get(name) for name in ("HOME", "XDG_CACHE_HOME", "KERAS_HOME", "MPLCONFIGDIR")}
    home = tmp_path_factory.mktemp("home")
    os.environ.update(HOME=str(home), XDG_CACHE_HOME=str(home / "cache"), MPLCONFIGDIR=str(home / "matplotlib"))
    os.environ["KERAS_HOME"] = saved["KERAS_HOME"] or str(Path(saved["HOME"] or home) / ".keras")
    yield
    for name, value in saved.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value


@pytest.fixture(scope="session", autouse=True)
def _reference_is_known(_own_environment, exported_once, tiny):
    """Put what the Keras original of the stored export answers into the cache, as its golden has it: no TensorFlow.

    Where that is not installed, nothing asks for it.
    """
    if find_spec("tensorflow") is None:
        return
    record = golden.read(exported_once / "golden.npz")

    def answer(rows):
        np.testing.assert_array_equal(rows, record.images)
        return record.reference

    with reference.outputs(manifest.read(exported_once), tiny.test, lambda *_, **__: SimpleNamespace(predict=answer)):
        pass


@pytest.fixture(scope="session")
def run_folder(request, tmp_path_factory) -> Path:
    """A folder that all processes which run tests share."""
    folder = tmp_path_factory.getbasetemp()
    # pytest-xdist's processes have a folder each, below that of the run.
    return folder.parent if hasattr(request.config, "workerinput") else folder


@pytest.fixture(scope="session")
def once(run_folder) -> Callable[[str, Callable[[Path], object]], Path]:
    """Return a folder of a name that is filled once, by whichever process comes first."""

    def made(name: str, fill: Callable[[Path], object]) -> Path:
        folder = run_folder / name
        folder.parent.mkdir(exist_ok=True)
        done = folder.with_suffix(".done")
        with folder.with_suffix(".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not done.exists():
                fill(folder)
                done.touch()
        return folder

    return made


@pytest.fixture(scope="session")
def wheel(once) -> Path:
    """The wheel of this project."""
    from tests.installed import build

    (built,) = once("wheel", lambda folder: build("wheel", folder)).iterdir()
    return built


@pytest.fixture(scope="session")
def device(once, wheel) -> Path:
    """The toolkit of an environment with the extra ``edge`` alone. Python compiles modules there; else read only."""
    from tests.installed import install

    return once("device", lambda folder: install(folder, wheel, "edge")) / "bin" / "toolkit"


@pytest.fixture(scope="session")
def tiny() -> Dataset:
    return make_dataset(tiny_arrays(), name="tiny", origin="tests")


@pytest.fixture(scope="session")
def tiny_npz(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("data") / "tiny.npz"
    np.savez(path, **dict(zip(("x_train", "y_train", "x_test", "y_test"), tiny_arrays(), strict=True)))
    return path


@pytest.fixture(scope="session")
def trained_folder(once) -> Path:
    """A run of the CNN on the tiny data, stored. Read only."""
    return once("runs/tiny-cnn", partial(shutil.copytree, stored.HERE / stored.RUN))


@pytest.fixture(scope="session")
def rounding_folder(once, tiny) -> Path:
    """A run of a tiny network that learned with the rounding of integer kernels. Read only."""
    from tests.training.made_up import ROUNDING
    from toolkit.training.fit import train

    return once("runs/rounding", lambda folder: train(ROUNDING, tiny, folder))


@pytest.fixture(scope="session")
def exported_once(once) -> Path:
    """All six artifacts of that run, stored. Read only: tests that change files take a copy, ``exported``."""
    return once("exported/cnn", partial(shutil.copytree, stored.HERE / stored.EXPORTED))


@pytest.fixture(scope="session")
def trained_export(once, tiny, rounding_folder) -> Path:
    """All artifacts of the run that learned with rounding. Read only."""
    from toolkit.export.exporter import ExportOptions, export
    from toolkit.export.formats import plan
    from toolkit.export.sources import resolve

    def fill(folder: Path) -> None:
        result = export(resolve(str(rounding_folder)), tiny, folder, ExportOptions(plan([], [])), warn=pytest.fail)
        assert result.failures == {}

    return once("exported/rounding", fill)


@pytest.fixture
def exported(tmp_path, exported_once) -> Path:
    return Path(shutil.copytree(exported_once, tmp_path / "exported" / "cnn"))


@pytest.fixture
def shipped(tmp_path) -> Path:
    """A copy of a folder that the project ships, with two of its artifacts."""
    folder = tmp_path / "mlp"
    folder.mkdir()
    for name in SHIPPED_FILES:
        shutil.copyfile(SHIPPED / name, folder / name)
    return folder


@pytest.fixture
def cli(capfd):
    """Call the command line; return (exit code, stdout, stderr)."""

    def run(*arguments):
        code = call([str(argument) for argument in arguments])
        return (code, *capfd.readouterr())

    return run


@pytest.fixture
def here(tmp_path, monkeypatch) -> Path:
    """An empty folder to stand in."""
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder
