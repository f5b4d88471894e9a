"""What makes tests quick: whatever takes long and is not what they are about is kept, copied or left out."""

import sys
from functools import partial
from importlib.util import find_spec

import pytest

from tests.kept_workers import KeptWorkers
from toolkit import api, extras
from toolkit.training.loop import is_convolutional
from toolkit.worker import session
from toolkit.worker.session import Workers

# Whether that a quick test loads TensorFlow was said.
LOADED = pytest.StashKey[bool]()


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
def _packages_stay():
    """What a package has loaded is no garbage: to look through TensorFlow's objects again and again takes long."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(extras, "is_program", True)
        yield


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
