"""The Python API: what it exports, what it returns, and that it prints nothing."""

import dataclasses
import pkgutil
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import toolkit
from tests.conftest import CLASSES, SIDE
from toolkit import api
from toolkit.bench.schedule import Plan, PlanOptions
from toolkit.errors import ArtifactError, RunError, UsageError
from toolkit.training.checkpoint import Epoch
from toolkit.training.fit import Started
from toolkit.training.recipe import Recipe, RecipeOptions


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


@pytest.mark.parametrize(
    ("options", "whole", "without"), [(RecipeOptions, Recipe, {"model"}), (PlanOptions, Plan, set())]
)
def test_options_are_the_fields_of_what_they_make(options, whole, without):
    assert set(options.__annotations__) == {field.name for field in dataclasses.fields(whole)} - without


def test_a_session_gives_a_probability_for_each_class(exported_once):
    images = np.zeros((2, SIDE, SIDE, 1), np.uint8)
    outputs = api.open_session(str(exported_once / "cnn-int8.tflite")).predict(images)
    assert (outputs.shape, outputs.dtype) == ((2, CLASSES), np.dtype(np.float32))


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


@pytest.fixture
def tiny_run(here, trained_folder):
    """The name of a run that stands in runs/."""
    shutil.copytree(trained_folder, here / "runs" / "tiny")
    return "tiny"


def test_export_gives_the_path_of_its_folder(tiny_run, tiny_npz):
    steps = []
    exported = api.export(tiny_run, format="onnx", quantize=["float32"], data=tiny_npz, on_step=steps.append)
    assert Path(exported) == Path("exported/cnn")
    assert [artifact.path for artifact in exported.made] == ["cnn-float32.onnx"]
    assert exported.failures == {}
    assert exported.to_json()["manifest"] == "exported/cnn/manifest.json"
    assert [(step.done, step.total) for step in steps] == [(0, 1), (1, 1)]
    assert steps[-1].text == "cnn-float32.onnx"


def test_export_says_what_is_wrong(here, tiny_run, tiny_npz):
    with pytest.raises(UsageError, match="unknown quantization 'int4'"):
        api.export(tiny_run, quantize="int4", data=tiny_npz)
    with pytest.raises(UsageError, match="nosuch: no such file, folder or run"):
        api.export("nosuch")
    assert not (here / "exported").exists()


def test_train_says_what_is_wrong(here):
    with pytest.raises(UsageError, match="unknown model 'vgg'"):
        api.train("vgg")
    with pytest.raises(UsageError, match="cannot name a run"):
        api.train(name="../x")
    with pytest.raises(RunError, match="no run has a finished epoch"):
        api.train(resume=True)


@pytest.mark.slow
def test_bench_measures_and_recommends(exported_once, here):
    steps = []
    record = api.bench(
        exported_once / "cnn-int8.tflite",
        exported_once / "cnn-float32.tflite",
        seconds=0.01,
        processes=1,
        threads=[1, 2],
        on_step=steps.append,
    )
    assert [result.threads for result in record.results] == [1, 2, 1, 2]
    assert record.recommended == record.to_json()["recommended"]
    assert record.recommended["artifact"] in [str(result.path) for result in record.results]
    assert record.folder.parent == api.BENCHMARKS
    assert all(0 <= step.done <= step.total for step in steps)


def test_predict_classifies_files(exported_once, here, tiny):
    from PIL import Image

    Image.fromarray(tiny.test.images[0, ..., 0]).save("one.png")
    (here / "two.png").write_bytes(b"no image")
    first, second = api.predict(["one.png", Path("two.png")], exported_once / "cnn-int8.tflite")
    assert first.to_json()["class"] == first.classes[0]
    assert "two.png" in second.to_json()["error"]


def test_predict_needs_an_artifact(here):
    with pytest.raises(ArtifactError, match="no artifact there"):
        api.predict(["one.png"])


@pytest.mark.slow
def test_a_run_is_trained_and_gone_on_with(here, tiny_npz):
    steps = []
    run = api.train("mlp", data=tiny_npz, name="a", epochs=1, batch_size=16, on_step=steps.append)
    assert Path(run) == Path("runs/a")
    assert [type(step.about) for step in steps] == [Started, Epoch]
    assert [(step.done, step.total) for step in steps] == [(0, 1), (1, 1)]
    with pytest.raises(UsageError, match="started with another seed; only --epochs may change"):
        api.train(name="a", resume=True, seed=7)
    assert len(api.train(resume=True, epochs=2).progress.history) == 2
    assert [artifact.path for artifact in api.export(run, quantize="int8", format="tflite").made] == ["mlp-int8.tflite"]
