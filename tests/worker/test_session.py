"""Artifacts that run in a worker: they answer as they do here, and what they do there is one line here."""

import os
import re
import shutil
import signal

import numpy as np
import pytest

from tests.kept_workers import CLOSE, START
from toolkit import extras, golden, runtimes
from toolkit.cli import call
from toolkit.errors import ArtifactError, UsageError, WorkerFailedError
from toolkit.worker import process, session
from toolkit.worker.session import Workers, contained

FILES = ("cnn-int8.tflite", "cnn-int8.onnx", "cnn-float32.onnx")


@pytest.fixture(autouse=True)
def _workers_are_not_kept(monkeypatch):
    """Their start and their end are what these tests are about."""
    monkeypatch.setattr(session, "_start", START)
    monkeypatch.setattr(Workers, "close", CLOSE)


@pytest.fixture
def images(exported_once):
    return golden.read(exported_once / "golden.npz").images


@pytest.fixture(scope="module")
def endless(tmp_path_factory):
    """A model of 8x8 images that never comes to an end."""
    onnx = extras.load("onnx")
    make, kinds = onnx.helper, onnx.TensorProto

    def value(name, kind, shape):
        return make.make_tensor_value_info(name, kind, shape)

    body = make.make_graph(
        [make.make_node("Identity", ["go"], ["go_on"]), make.make_node("Identity", ["before"], ["after"])],
        "body",
        [value("number", kinds.INT64, []), value("go", kinds.BOOL, []), value("before", kinds.FLOAT, [3])],
        [value("go_on", kinds.BOOL, []), value("after", kinds.FLOAT, [3])],
    )
    nodes = [
        make.make_node("ReduceMean", ["image"], ["mean"], keepdims=0),
        make.make_node("Expand", ["mean", "three"], ["values"]),
        make.make_node("Loop", ["", "yes", "values"], ["looped"], body=body),
        make.make_node("Reshape", ["looped", "row"], ["result"]),
    ]
    constants = {"three": np.array([3], np.int64), "row": np.array([1, 3], np.int64), "yes": np.array(True)}
    tensors = [onnx.numpy_helper.from_array(values, name) for name, values in constants.items()]
    ends = ([value("image", kinds.FLOAT, [1, 8, 8, 1])], [value("result", kinds.FLOAT, [1, 3])])
    graph = make.make_graph(nodes, "endless", *ends, tensors)
    path = tmp_path_factory.mktemp("endless") / "endless.onnx"
    onnx.save(make.make_model(graph, opset_imports=[make.make_opsetid("", 13)], ir_version=8), path)
    return path


@pytest.mark.parametrize("name", FILES)
def test_an_artifact_in_a_worker_answers_and_describes_itself_as_in_this_process(
    exported_once, images, name, monkeypatch
):
    monkeypatch.setattr(session, "MESSAGE_BYTES", 8 * 8 * 7)  # seven images a message
    here = runtimes.open_session(exported_once / name, threads=1)
    with contained() as workers:
        there = workers.open_session(exported_once / name, threads=1)
        assert (there.input, there.output, there.remark) == (here.input, here.output, here.remark)
        np.testing.assert_allclose(there.predict(images), here.predict(images), atol=1e-6)


def test_one_worker_opens_one_artifact_after_the_other(exported_once, images):
    with contained() as workers:
        one, other = (workers.open_session(exported_once / name) for name in FILES[:2])
        assert one._process.pid == other._process.pid
        other.predict(images)
    with pytest.raises(ProcessLookupError):
        os.kill(other._process.pid, 0)


def test_what_a_worker_cannot_open_or_run_is_told_as_in_this_process(exported_once, tmp_path, images):
    (tmp_path / "bad.onnx").write_bytes(b"nonsense")
    with contained() as workers:
        with pytest.raises(ArtifactError, match=r"bad\.onnx: ONNX Runtime cannot load it"):
            workers.open_session(tmp_path / "bad.onnx")
        with pytest.raises(ArtifactError, match=r"none\.onnx: no such file"):
            workers.open_session(tmp_path / "none.onnx")
        whole = workers.open_session(exported_once / FILES[0])
        with pytest.raises(ArtifactError, match="takes images"):
            whole.predict(images[:, :5])
        assert len(whole.predict(images)) == len(images)


def test_after_a_death_the_next_artifact_gets_a_new_worker(exported_once, images):
    with contained() as workers:
        first = workers.open_session(exported_once / FILES[0])
        os.kill(first._process.pid, signal.SIGSEGV)
        with pytest.raises(WorkerFailedError, match=r"cnn-int8\.tflite: litert was ended by SIGSEGV"):
            first.predict(images)
        second = workers.open_session(exported_once / FILES[1])
        assert len(second.predict(images)) == len(images)


@pytest.mark.slow
@pytest.mark.training
def test_an_artifact_that_never_ends_is_ended(endless, images, monkeypatch):
    monkeypatch.setenv(process.PATIENCE_VARIABLE, "1")
    with contained() as workers, pytest.raises(WorkerFailedError, match="did not answer for 1 s and was ended"):
        workers.open_session(endless).predict(images)


@pytest.mark.slow
def test_an_artifact_that_takes_too_much_memory_is_ended(endless, images, monkeypatch):
    monkeypatch.setenv(process.MEMORY_VARIABLE, "1e6")
    with contained() as workers, pytest.raises(WorkerFailedError, match="bytes of memory and was ended"):
        workers.open_session(endless).predict(images)  # its memory is looked at while its answer is awaited


@pytest.mark.parametrize("text", ["0", "-1", "many", "inf", "nan", "1e10"])
def test_a_limit_of_a_worker_that_is_no_number_above_0_is_refused(monkeypatch, text):
    monkeypatch.setenv(process.PATIENCE_VARIABLE, text)
    with pytest.raises(UsageError, match="must be a number above 0"), contained():
        pass


@pytest.mark.training
@pytest.mark.slow
def test_verify_says_what_happened_in_its_row_and_goes_on(exported, endless, capsys, monkeypatch):
    from dataclasses import replace

    from toolkit import manifest
    from toolkit.files import sha256

    monkeypatch.setenv(process.PATIENCE_VARIABLE, "5")
    shutil.copyfile(endless, exported / "cnn-int8.onnx")
    found = manifest.read(exported)
    specs = {"inputs": (replace(found.artifacts[0].inputs[0], shape=(1, 8, 8, 1)),)}
    specs["outputs"] = (replace(found.artifacts[0].outputs[0], name="result", shape=(1, 3)),)
    changed = tuple(
        replace(a, sha256=sha256(exported / a.path), **specs) if a.path == "cnn-int8.onnx" else a
        for a in found.artifacts
    )
    replace(found, artifacts=changed).write()
    assert call(["verify", "--golden", str(exported)]) == 1
    out = capsys.readouterr().out
    assert re.search(r"cnn-int8\.onnx: onnxruntime did not answer for 5 s and was ended", out)
    assert len(re.findall(r"\.(?:onnx|tflite) .* pass ", out)) == 5
