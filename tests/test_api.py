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
from tests.bench import made_up
from tests.conftest import CLASSES, SIDE
from toolkit import api
from toolkit.bench.schedule import Plan, PlanOptions
from toolkit.errors import ArtifactError, DataUnavailableError, RunError, UsageError
from toolkit.study.grid import Grid, GridOptions
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
    ("options", "whole", "without"),
    [(RecipeOptions, Recipe, {"model"}), (PlanOptions, Plan, set()), (GridOptions, Grid, set())],
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


def test_verify_saves_records_and_draws_flips(exported, tiny_npz, here):
    parity = api.verify(exported, data=tiny_npz, margin_pp=5, save=True, flips="flips.png")
    assert parity.records == (exported / "parity.json",)
    assert api.check_record(exported)
    assert (here / "flips.png").is_file()
    assert api.verify(exported, golden=True).records == ()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"golden": True, "save": True}, "results by golden measure no accuracy and are not saved"),
        ({"flips": "flips.gif"}, "flips.gif: a picture must end in .png or .svg"),
    ],
)
def test_verify_refuses_what_makes_no_sense_before_it_looks(here, options, message):
    with pytest.raises(UsageError, match=message):
        api.verify("nowhere", **options)


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


@pytest.fixture
def benchmark(here):
    """The folder of a benchmark's record, made up."""
    return made_up.saved(here / "benchmarks" / "1", 20e-6, 30e-6)


def test_a_record_is_true_unless_a_figure_of_it_was_changed(benchmark):
    rebuilt = api.check_record(benchmark)
    assert rebuilt
    assert (rebuilt.kind, rebuilt.artifacts, rebuilt.verdict) == ("benchmark", 2, "pass")
    path = benchmark / "record.json"
    path.write_text(path.read_text().replace('"n": 1000', '"n": 1001', 1))
    assert not api.check_record(path)
    assert "n is 1001, its samples say 1000" in api.check_record(path).differences[0]


def test_what_is_no_record_is_an_error(here):
    for name, text in (("one.json", "{}"), ("two.json", "[]"), ("three.json", "{")):
        (here / name).write_text(text)
        with pytest.raises(ArtifactError, match=name):
            api.check_record(name)
    with pytest.raises(ArtifactError, match=r"one\.json: no record; 'toolkit bench' writes"):
        api.check_record("one.json")
    with pytest.raises(ArtifactError, match="no record there"):
        api.check_record(here)


def test_records_are_compared(benchmark, here):
    compared = api.compare(benchmark, str(benchmark / "record.json"))
    assert compared
    assert [pair.verdict for pair in compared.pairs] == ["indistinguishable"] * 2
    slower = made_up.saved(here / "benchmarks" / "2", 20e-6, 40e-6)
    compared = api.compare(benchmark, slower, tolerance=0.2)
    assert not compared
    assert [pair.new.path.name for pair in compared.slower] == ["1.tflite"]
    with pytest.raises(UsageError, match="the tolerance is -20 %"):
        api.compare(benchmark, slower, tolerance=-0.2)


def test_two_artifacts_are_compared_side_by_side(exported_once):
    reference, candidate = (exported_once / name for name in ("cnn-float32.tflite", "cnn-int8.tflite"))
    found = api.compare_files(reference, str(candidate), seconds=0.01, processes=2, tolerance=100.0)
    assert found
    assert len(found.pairs.lengths) == 4
    assert found.speedup.low < found.speedup.value < found.speedup.high
    assert [api.is_artifact(path) for path in (candidate, exported_once, "no.tflite", "record.json")] == [
        True, False, True, False
    ]  # fmt: skip


def test_a_record_is_drawn(benchmark, here):
    assert "no accuracy is known" in api.plot_record(benchmark, "bench.svg")
    assert (here / "bench.svg").is_file()
    with pytest.raises(UsageError, match="must end in"):
        api.plot_record(benchmark, "bench.gif")


def test_an_artifact_is_compared_layer_by_layer(exported_once, here):
    localized = api.localize(exported_once / "cnn-int8.tflite")
    assert (localized.passed, localized.culprit) == (True, None)
    assert localized.layers[0].name
    assert list(here.iterdir()) == []
    with pytest.raises(UsageError, match="a folder; name one artifact"):
        api.localize(exported_once)


def test_a_self_test_needs_a_sensible_number_of_exports(exported_once, tiny_npz):
    with pytest.raises(UsageError, match="-1 exports were asked for"):
        api.selftest(exported_once, data=tiny_npz, reexports=-1)


@pytest.mark.slow
def test_the_benchmark_is_certified(exported_once, here, monkeypatch):
    monkeypatch.setattr("toolkit.bench.certify.LONGEST_S", 0.5)
    steps = []
    certificate = api.certify(exported_once, seconds=0.01, processes=1, on_step=steps.append)
    assert certificate.path.parent.parent == api.BENCHMARKS
    assert certificate.path.is_file()
    assert certificate.artifact.name == min(
        (path for path in exported_once.iterdir() if path.suffix in (".tflite", ".onnx")),
        key=lambda path: path.stat().st_size,
    ).name  # fmt: skip
    assert (steps[0].done, steps[0].total) == (0, 100)


def test_predict_classifies_files(exported_once, here, tiny):
    from PIL import Image

    Image.fromarray(tiny.test.images[0, ..., 0]).save("one.png")
    (here / "two.png").write_bytes(b"no image")
    first, second = api.predict(["one.png", Path("two.png")], exported_once / "cnn-int8.tflite")
    assert first.to_json()["class"] == first.classes[0]
    assert "two.png" in second.to_json()["error"]


def test_sources_are_listed_and_data_are_loaded(tiny_npz, no_mnist):
    sources = api.list_data()
    assert [source.is_named for source in sources] == sorted((source.is_named for source in sources), reverse=True)
    assert {source.name: source.place for source in sources}["mnist"] is None
    dataset = api.load_data(tiny_npz)
    assert (len(dataset.train), dataset.input_shape, dataset.notes) == (240, (SIDE, SIDE, 1), ())
    with pytest.raises(DataUnavailableError, match="mnist is not on this machine"):
        api.load_data("mnist", fetch=False)
    with pytest.warns(api.ToolkitWarning, match="Going on with 'sample'"):
        assert api.load_data("auto", fetch=False).name == "sample"


def test_what_is_conspicuous_of_data_is_kept_and_warned_of(tmp_path, tiny):
    train, test = tiny.train, tiny.test
    arrays = {"x_train": train.images // 8, "y_train": train.labels, "x_test": test.images // 8, "y_test": test.labels}
    np.savez(tmp_path / "dark.npz", **arrays)
    with pytest.warns(api.ToolkitWarning) as caught:
        dataset = api.load_data(tmp_path / "dark.npz")
    assert dataset.notes == tuple(str(warning.message) for warning in caught)
    assert dataset.to_json()["warnings"] == list(dataset.notes)


def test_a_bundle_is_packed_and_checked(exported_once, here):
    packed = api.bundle(exported_once / "cnn-int8.tflite")
    assert (packed.path, packed.artifact.path, packed.why) == (
        Path("cnn-int8-tflite.zip"),
        "cnn-int8.tflite",
        "it was named",
    )
    assert api.check_bundle(packed.path)
    content = packed.path.read_bytes()
    packed.path.write_bytes(content.replace(b"import numpy", b"import dumpy"))
    checked = api.check_bundle(str(packed.path))
    assert not checked
    assert "cnn-int8-tflite/classify.py: its bytes are damaged" in checked.problems


def test_the_machine_is_examined(exported, monkeypatch):
    monkeypatch.setattr("toolkit.doctor.report.parts", lambda: ("numpy",))
    monkeypatch.setattr("toolkit.doctor.artifacts.failures", lambda *_, **__: {})
    steps = []
    (exported / "cnn-int8.onnx").write_bytes(b"changed")
    report = api.doctor(exported, on_step=steps.append)
    assert [(step.done, step.total, step.text) for step in steps] == [(0, 2, "numpy"), (1, 2, "artifacts")]
    assert not report
    assert "cnn-int8.onnx" in report.findings[0].name


def test_a_study_says_what_is_wrong(here):
    with pytest.raises(UsageError, match="unknown model 'vgg'"):
        api.study(model="vgg")
    with pytest.raises(UsageError, match="cannot name a study"):
        api.study(name="../x")
    with pytest.raises(UsageError, match="--jobs is for this machine, --ray for a cluster"):
        api.study(jobs=2, ray="auto")
    with pytest.raises(RunError, match=r"no study is there, it has no study\.json"):
        api.report_study()
    assert list(here.iterdir()) == []


@pytest.mark.slow
def test_a_study_is_trained_gone_on_with_and_reported(here, tiny_npz):
    axes = {"optimizer": "sgd", "activation": "relu", "learning_rate": 0.1, "epochs": 1}
    steps = []
    first = api.study(data=tiny_npz, model="mlp", loss="mse", on_step=steps.append, **axes)
    assert [(one.state, len(one.progress.history)) for one in first.outcomes] == [("finished", 1)]
    assert [(step.done, step.total) for step in steps] == [(0, 1), (0, 1), (0, 1), (1, 1), (1, 1)]
    both = api.study(data=tiny_npz, model=["mlp"], loss=["mse", "binary_crossentropy"], **axes)
    assert both.outcomes[0] == first.outcomes[0]
    assert both.summary == "2 of 2 runs finished"
    report = api.report_study(output="report")
    assert {finding.verdict for finding in report.findings} == {"undecided"}
    assert [str(path) for path in report.weights] == ["report/mlp.keras"]


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
