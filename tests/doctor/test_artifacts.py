"""What a file does is one line of the doctor's, the same as of `bench` and `verify`, and the other files go on."""

import os
import shutil
import signal
from dataclasses import replace
from pathlib import Path

import pytest

from tests.elsewhere import elsewhere
from tests.worker.test_session import endless  # noqa: F401 — a fixture
from toolkit import extras, manifest
from toolkit.bench import candidates
from toolkit.bench.plan import Plan
from toolkit.bench.schedule import bench
from toolkit.doctor.artifacts import failures
from toolkit.files import sha256
from toolkit.worker import process
from toolkit.worker.process import Process


def failed(*paths, kernels=None):
    return failures(paths, ("litert", "onnxruntime"), kernels=kernels)


@pytest.mark.parametrize(("kernels", "here"), [("aarch64", "here (aarch64) than"), (None, "here than")])
def test_each_artifact_is_compared_with_its_golden(exported, kernels, here):
    files = sorted(exported.glob("*.tflite"))
    assert failed(*files) == {}
    elsewhere(exported, "cnn-float32.tflite", "cnn-int8.tflite")
    said = "90 of 90 predictions are not those of the machine that exported it"
    assert failed(*files, kernels=kernels) == {
        exported / name: f"answers differently {here} its golden says: {said}"
        for name in ("cnn-float32.tflite", "cnn-int8.tflite")
    }


def test_what_no_working_runtime_runs_is_not_tried(exported, monkeypatch):
    monkeypatch.setattr(process, "Process", pytest.fail)
    assert failures(sorted(exported.glob("*.onnx")), {"litert"}, kernels=None) == {}
    assert failures(sorted(exported.iterdir()), set(), kernels=None) == {}


def test_a_golden_that_cannot_be_read_is_what_is_wrong(exported):
    (exported / "golden.npz").write_bytes(b"cut")
    found = manifest.read(exported)
    replace(found, golden=replace(found.golden, sha256=sha256(exported / "golden.npz"))).write()
    path = exported / "cnn-int8.tflite"
    assert failed(path)[path].startswith(f"{exported / 'golden.npz'}: cannot be read as a golden")


def test_a_file_that_a_runtime_cannot_run_is_named(exported, tmp_path):
    (tmp_path / "cut.onnx").write_bytes(b"nonsense")
    found = failed(tmp_path / "cut.onnx", exported / "cnn-int8.onnx")
    assert list(found) == [tmp_path / "cut.onnx"]
    assert f"{tmp_path / 'cut.onnx'}: ONNX Runtime cannot load it" in found[tmp_path / "cut.onnx"]


def test_a_crash_is_named_and_the_next_artifact_gets_a_new_worker(exported, monkeypatch):
    def crash(self, question, content=b"", *, seconds=0.0):
        if question["path"].endswith("cnn-int8.tflite"):
            os.kill(self.pid, signal.SIGSEGV)
        return ask(self, question, content, seconds=seconds)

    ask = Process.ask
    monkeypatch.setattr(Process, "ask", crash)
    path = exported / "cnn-int8.tflite"
    assert failed(path, exported / "cnn-int8.onnx") == {path: f"{path}: litert was ended by SIGSEGV"}


@pytest.mark.slow
@pytest.mark.training
def test_of_an_endless_artifact_the_same_is_said_as_by_bench(endless, tmp_path, monkeypatch):  # noqa: F811
    monkeypatch.setenv(process.PATIENCE_VARIABLE, "2")
    path = tmp_path / "endless.onnx"
    shutil.copyfile(endless, path)
    found = failed(path)
    assert found == {path: f"{path}: onnxruntime did not answer for 2 s and was ended"}
    plan = Plan(seconds=0.02, processes=1)
    (said,) = bench(candidates.select([path], warn=pytest.fail), tmp_path / "benchmark", plan).failures.values()
    assert found[path].endswith(said)


def test_of_an_artifact_that_takes_too_much_memory_the_same_is_said_as_by_bench(exported, monkeypatch):
    monkeypatch.setenv(process.MEMORY_VARIABLE, "1e6")
    path = exported / "cnn-int8.onnx"
    assert failed(path)[path].startswith(f"{path}: onnxruntime took ")


def test_a_file_of_several_inputs_that_no_manifest_lists_is_as_good_as_for_a_benchmark(tmp_path):
    path = tmp_path / "two.onnx"
    onnx = extras.load("onnx")
    make, kind = onnx.helper, onnx.TensorProto.FLOAT
    ends = [make.make_tensor_value_info(name, kind, [1, 3]) for name in ("a", "b", "sum")]
    graph = make.make_graph([make.make_node("Add", ["a", "b"], ["sum"])], "two", ends[:2], ends[2:])
    onnx.save(make.make_model(graph, opset_imports=[make.make_opsetid("", 13)], ir_version=8), path)
    assert failed(path) == {}


@pytest.mark.slow
@pytest.mark.training
def test_a_keras_original_is_run_too(exported, monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    path = exported / "cnn.keras"
    cut = Path(shutil.copyfile(path, path.with_name("cut.keras")))
    cut.write_bytes(path.read_bytes()[:-99])
    found = failures([path, cut], {"keras"}, kernels=None)
    assert list(found) == [cut]
    assert found[cut].startswith(f"{cut}: cannot be read as a whole .keras file")
