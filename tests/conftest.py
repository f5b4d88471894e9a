"""A tiny data set and tiny models, made once a session: everything else in the tests builds on them."""

import fcntl
import os
import shutil
from collections.abc import Callable
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from toolkit.cli import call
from toolkit.data.base import Dataset, make_dataset
from toolkit.entries import EvaluationSet, Verification
from toolkit.verdict import Verdict

CLASSES = 3
SIDE = 8
SHIPPED = Path(__file__).parents[1] / "exported" / "mlp"
SHIPPED_FILES = (
    "mlp-int8.tflite",
    "mlp-int8.onnx",
    "golden.npz",
    "manifest.json",
    "parity.json",
    "parity.npz",
    "README.md",
)


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
    """Sort the files: the longest first, since the last of them would run alone in the end.

    Before them one that makes the exports, for which those that need them would wait otherwise.
    """
    long = {item.path for item in items if any(item.iter_markers("slow")) or any(item.iter_markers("road"))}
    waiting = dict.fromkeys(item.path for item in items if "exported_once" in item.fixturenames)
    first = next(iter(waiting), None)
    items.sort(key=lambda item: (item.path != first, item.path not in long, item.path in waiting))


def verification(verdict: str, accuracy: float | None = None) -> Verification:
    """What a verify result of an artifact comes to, as a manifest keeps it."""
    images = EvaluationSet("tiny", ())
    return Verification(Verdict(verdict), accuracy, accuracy, 0, 0, n=90, margin_pp=0.5, dataset=images)


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
def _one_worker_for_keras_files():
    """Keras files are tried in one worker, which imports TensorFlow once, unless they may run code of their own.

    They are converted in the process of the test, as what was trained here is.
    """
    from toolkit.runtimes.keras.loading import Allowed, allowed
    from toolkit.worker import keras, process, session

    kept = ExitStack()
    workers = []

    @contextmanager
    def contained():
        if allowed() != Allowed():
            with session.contained() as own:
                yield own
            return
        if not workers:
            with pytest.MonkeyPatch.context() as plain:  # whatever limits the first test that needs it sets
                for variable in (process.PATIENCE_VARIABLE, process.MEMORY_VARIABLE):
                    plain.delenv(variable, raising=False)
                workers.append(kept.enter_context(session.contained()))
        # Which stands in another folder.
        yield SimpleNamespace(try_out=lambda path, rows: workers[0].try_out(path.absolute(), rows))

    with kept, pytest.MonkeyPatch.context() as patch:
        patch.setattr(keras, "contained", contained)
        patch.setattr("toolkit.export.conversion.is_own", lambda path: True)
        yield


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
def trained_folder(once, tiny) -> Path:
    """A run of the CNN on the tiny data. Read only."""
    from toolkit.training.fit import train
    from toolkit.training.recipe import Recipe

    recipe = Recipe(model="cnn", epochs=4, batch_size=16, learning_rate=0.003)
    return once("runs/tiny-cnn", lambda folder: train(recipe, tiny, folder))


@pytest.fixture(scope="session")
def rounding_folder(once, tiny) -> Path:
    """A run of a tiny network that learned with the rounding of integer kernels. Read only."""
    from tests.training.made_up import ROUNDING
    from toolkit.training.fit import train

    return once("runs/rounding", lambda folder: train(ROUNDING, tiny, folder))


@pytest.fixture(scope="session")
def exported_once(request, once, tiny) -> Path:
    """All six artifacts of that run. Read only: tests that change files take a copy, ``exported``.

    A machine without TensorFlow gets the folder from one that has it, by TOOLKIT_TEST_EXPORTED.
    """
    if made_elsewhere := os.environ.get("TOOLKIT_TEST_EXPORTED"):
        return Path(made_elsewhere)
    from toolkit.export.exporter import ExportOptions, export
    from toolkit.export.formats import plan
    from toolkit.export.sources import resolve

    def fill(folder: Path) -> None:
        run = resolve(str(request.getfixturevalue("trained_folder")))
        result = export(run, tiny, folder, ExportOptions(plan([], []), calibration_count=50), warn=pytest.fail)
        assert result.failures == {}

    return once("exported/cnn", fill)


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


@pytest.fixture
def no_mnist(monkeypatch, tmp_path):
    """A machine without MNIST and without a network."""
    monkeypatch.setenv("TOOLKIT_DATA_DIR", str(tmp_path / "nothing"))
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "nothing"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    from toolkit.errors import DataUnavailableError

    def refuse(url, path, **_):
        raise DataUnavailableError(f"{path.name} could not be fetched (no network in this test)")

    monkeypatch.setattr("toolkit.data.mnist.download", refuse)
    monkeypatch.setattr("toolkit.data.fashion_mnist.download", refuse)


@pytest.fixture(scope="session")
def real_mnist() -> Dataset:
    """The full MNIST, where it is on this machine."""
    from toolkit import data
    from toolkit.data import mnist

    if mnist.locate() is None:
        pytest.skip("the full MNIST is not on this machine (set TOOLKIT_DATA_DIR to the folder of mnist.npz)")
    return data.load("mnist", warn=pytest.fail)
