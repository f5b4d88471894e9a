"""The Python API: what it exports, what it returns, and that it prints nothing."""

import pkgutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import toolkit
from tests.conftest import SIDE
from toolkit import api
from toolkit.errors import ArtifactError


@pytest.fixture(autouse=True)
def _silent(capfd):
    """Nothing of the API prints."""
    yield
    assert capfd.readouterr() == ("", "")


def test_all_names_what_is_there():
    there = {
        name
        for name, value in vars(api).items()
        if not name.startswith("_")
        and (getattr(value, "__module__", "").startswith("toolkit") or type(value) is type(Path()))
    }
    assert api.__all__ == sorted(there - {"OnStep", "ignore"})


def test_toolkit_has_the_names_that_no_folder_of_it_has():
    folders = {module.name for module in pkgutil.iter_modules(toolkit.__path__)}
    assert toolkit.__all__ == [name for name in api.__all__ if name not in folders]
    for name in toolkit.__all__:
        assert getattr(toolkit, name) is getattr(api, name)
    with pytest.raises(AttributeError, match="no attribute 'fly'"):
        toolkit.fly  # noqa: B018 — the look itself is what is tested


def test_importing_it_loads_no_framework():
    script = "import sys; from toolkit import api, verify; print({'numpy', 'tensorflow'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"


def test_a_session_gives_a_probability_for_each_class(exported_once):
    images = np.zeros((2, SIDE, SIDE, 1), np.uint8)
    outputs = api.open_session(str(exported_once / "cnn-int8.tflite")).predict(images)
    assert (outputs.shape, outputs.dtype) == ((2, 3), np.float32)


def test_verify_says_what_came_of_each_artifact(exported_once):
    steps = []
    parity = api.verify(exported_once, golden=True, on_step=steps.append)
    assert parity
    assert parity.verdict == "pass"
    assert [comparison.verdict for comparison in parity.comparisons] == ["pass"] * 6
    assert parity.to_json()["command"] == "verify"
    assert [(step.done, step.total) for step in steps] == [(number, 6) for number in range(1, 7)]
    assert [step.about for step in steps] == parity.comparisons


def test_a_verification_that_fails_is_false(exported):
    (exported / "cnn-int8.tflite").write_bytes(b"damaged")
    parity = api.verify(exported / "cnn-int8.tflite", golden=True)
    assert not parity
    assert parity.verdict == "fail"


def test_what_is_not_there_is_an_error(tmp_path):
    with pytest.raises(ArtifactError, match="no such file or folder"):
        api.verify(tmp_path / "none")


def test_a_warning_names_the_line_that_called(exported_once, monkeypatch):
    monkeypatch.setattr("toolkit.parity.verify.installed", lambda runtime: runtime != "keras")
    with pytest.warns(api.ToolkitWarning, match="TensorFlow is not installed") as caught:
        api.verify(exported_once / "cnn-int8.tflite")
    assert [warning.filename for warning in caught] == [__file__]
