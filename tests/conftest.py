"""A tiny data set and tiny models, made once a session: everything else in the tests builds on them."""

import fcntl
import os
import shutil
import sys
from collections.abc import Callable
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from tests import stored
from tests.kept_workers import KeptWorkers
from toolkit import api, extras, golden, manifest
from toolkit.cli import call
from toolkit.data.base import Dataset, make_dataset
from toolkit.entries import EvaluationSet, Verification
from toolkit.parity import reference
from toolkit.training.loop import is_convolutional
from toolkit.verdict import Verdict
from toolkit.worker import session
from toolkit.worker.session import Workers

pytest_plugins = ["tests.mnist"]

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
# Whether that a quick test loads TensorFlow was said.
LOADED = pytest.StashKey[bool]()


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


@pytest.fixture(autouse=True)
def _quick_without_tensorflow(request):
    """Where the slow tests are left out, none of the others may load TensorFlow: its import alone takes seconds."""
    yield
    quick, told = "not slow" in request.config.option.markexpr, request.config.stash
    if quick and "tensorflow" in sys.modules and not told.get(LOADED, False):
        told[LOADED] = True
        pytest.fail("it loads TensorFlow, or a fixture of it does: mark it slow")


@pytest.fixture(autouse=True)
def _without_waiting(monkeypatch):
    """Benchmarks of this process do not keep turns apart: what is measured is not looked at."""
    monkeypatch.setattr("toolkit.bench.schedule.TURN_S", 0.0)


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
def _packages_stay():
    """What a package has loaded is no garbage: to look through TensorFlow's objects again and again takes long."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(extras, "is_program", True)
        yield


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


@pytest.fixture(scope="session", autouse=True)
def _workers_are_kept():
    """Workers are used again, but where their start is tested."""
    kept = KeptWorkers()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(session, "_start", kept.start)
        patch.setattr(Workers, "close", lambda self: kept.close(self))
        patch.setattr("toolkit.export.conversion.is_own", lambda path: True)  # no process to convert in
        yield
    kept.end()


@pytest.fixture(scope="session", autouse=True)
def _charts_are_copied(tmp_path_factory):
    """Trainings of this process draw no chart anew that they have drawn."""
    if find_spec("tensorflow") is None:
        yield
        return
    from tests.copied_charts import CopiedCharts

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("toolkit.training.fit.plots", CopiedCharts(tmp_path_factory.mktemp("charts")))
        yield


@pytest.fixture(scope="session", autouse=True)
def _xla_is_left_out():
    """Trainings of this process go without XLA, which takes longest of all to compile, but where it is asked for."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("toolkit.training.loop.is_convolutional", lambda model: True)
        yield


@pytest.fixture
def brief(monkeypatch):
    """Benchmarks of this process are brief, as their figures are not looked at.

    One process measures each artifact, and none is taken apart since it happened to be slow.
    """
    monkeypatch.setattr(api, "bench", partial(api.bench, seconds=0.05, processes=1))
    monkeypatch.setattr("toolkit.bench.explain._puzzles", lambda record, result: False)


@pytest.fixture
def trusted(monkeypatch):
    """Keras files are taken for weights of a run: no worker, which imports TensorFlow, tries them before they load."""
    monkeypatch.setattr("toolkit.worker.keras.is_own", lambda path: True)


@pytest.fixture
def xla(monkeypatch):
    """Networks of dense layers alone learn with XLA, as they do elsewhere."""
    monkeypatch.setattr("toolkit.training.loop.is_convolutional", is_convolutional)


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
