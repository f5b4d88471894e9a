"""Files that somebody else made are converted in a worker: what they do to a converter is one line of one artifact."""

import importlib
import json
from pathlib import Path

import numpy as np
import pytest

from toolkit import golden, manifest
from toolkit.errors import ArtifactError, ExportFailedError, MissingExtraError, WorkerFailedError
from toolkit.export import conversion, sources, tasks
from toolkit.export.exporter import ExportOptions, export
from toolkit.export.formats import plan
from toolkit.export.tasks import CONVERT, READY
from toolkit.worker import keras
from toolkit.worker.keras import is_own
from toolkit.worker.tasks import TRY

PAIRS = plan(["onnx", "c"], [])


@pytest.fixture
def foreign(monkeypatch):
    """Let files be anybody's, as they are outside of tests."""
    for module in (conversion, keras):
        monkeypatch.setattr(module, "is_own", is_own)


@pytest.fixture
def asked(foreign, monkeypatch):
    """The questions to workers, which are answered in this process; one that dies is not asked again."""
    questions = []
    monkeypatch.setattr(keras, "_TRIED", set())

    class Here:
        deaths = ()

        def __init__(self, what, tasks, **limits):
            self.what, self._tasks, self._kept, self.failed = what, importlib.import_module(tasks).TASKS, {}, False
            assert limits == {"patience_s": conversion.PATIENCE_S}

        def ask(self, question, *, seconds, patience_s=None):
            assert not self.failed
            assert seconds > 1
            assert (question["do"] == TRY) == (patience_s is not None)
            question = json.loads(json.dumps(question))
            questions.append((question["do"], Path(question["path"]).name))
            if questions[-1] in self.deaths:
                self.failed = True
                raise WorkerFailedError(f"{self.what} was ended by SIGSEGV")
            return self._tasks[question.pop("do")](self._kept, b"", **question)

        def close(self):
            questions.append(("close", ""))

    monkeypatch.setattr(conversion, "Process", Here)
    return questions, Here


def exported_to(folder, source, dataset, pairs=PAIRS):
    return export(sources.resolve(str(source)), dataset, folder, ExportOptions(pairs, 50), warn=pytest.fail)


@pytest.mark.slow
@pytest.mark.training
def test_what_a_worker_converts_is_what_this_process_does(
    foreign, monkeypatch, exported_once, trained_folder, tiny, here
):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    monkeypatch.setattr(tasks, "ready", pytest.fail)
    made = exported_to(Path("there"), trained_folder, tiny, plan(["tflite"], ["int8"]))
    assert made.failures == {}
    before = {artifact.path: artifact for artifact in manifest.read(exported_once).artifacts}
    for found in made.manifest.artifacts:
        assert (found.inputs, found.details) == (before[found.path].inputs, before[found.path].details)
        there, here_ = (
            golden.read(folder / "golden.npz").recorded[found.path] for folder in (Path("there"), exported_once)
        )
        np.testing.assert_allclose(there, here_, atol=1e-6)


@pytest.mark.slow
def test_a_model_that_ends_a_converter_is_one_line_and_the_other_artifacts_are_made(asked, trained_folder, tiny, here):
    questions, worker = asked
    worker.deaths = [(CONVERT, "cnn-float32.onnx")]
    made = exported_to(Path("there"), trained_folder, tiny)
    path = trained_folder / "best.keras"
    assert made.failures == {"cnn-float32.onnx": f"{path}: its conversion to onnx was ended by SIGSEGV"}
    assert [entry.path for entry in made.manifest.artifacts] == ["cnn-int8.onnx", "cnn-int8.tflite"]
    assert [entry.path for entry in made.manifest.derived] == ["cnn-int8.c", "cnn-int8.h"]
    kinds = [kind for kind, _ in questions]
    assert kinds[:5] == [TRY, READY, CONVERT, "close", READY]
    assert (kinds.count(READY), kinds.count("close")) == (2, 2)


@pytest.mark.slow
def test_a_worker_knows_what_a_mixed_artifact_must_reach_and_on_which_rows(asked, trained_folder, tiny, here):
    options = ExportOptions([("tflite", "mixed")], 50, least_accuracy=0.4)
    with pytest.raises(
        ExportFailedError, match=r"int8 gets 100.00 % of 48 validation rows right, where 40.00 % are wanted: take int8"
    ):
        export(sources.resolve(str(trained_folder)), tiny, Path("there"), options, warn=pytest.fail)


@pytest.mark.slow
def test_a_model_that_cannot_even_be_made_ready_is_refused(asked, trained_folder, tiny, here):
    questions, worker = asked
    worker.deaths = [(READY, "best.keras")]
    with pytest.raises(ArtifactError, match=r"best\.keras: its conversion was ended by SIGSEGV"):
        exported_to(Path("there"), trained_folder, tiny)
    assert questions == [(TRY, "best.keras"), (READY, "best.keras"), ("close", "")]
    assert not Path("there", "manifest.json").exists()


def test_one_worker_tries_a_file_as_often_as_asked_and_another_one_only_when_it_has_ended(
    foreign, tmp_path, monkeypatch
):
    started = []

    class Worker:
        failed, what = False, ""

        def __init__(self, what, tasks, *, patience_s):
            started.append(self)

        def ask(self, question, *, seconds, patience_s=None):
            assert self.what == f"{path}: keras"

        def close(self):
            self.failed = True

    monkeypatch.setattr(conversion, "Process", Worker)
    path = tmp_path / "net.keras"
    with conversion.converting(path) as converter:
        for rows in ((), (50, 8)):
            converter.try_out(path, rows)
        assert len(started) == 1
        started[0].failed = True
        converter.try_out(path, (50, 8))
    assert len(started) == 2
    assert started[1].failed


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), MissingExtraError("tf2onnx", "train")])
def test_a_worker_tells_of_what_no_model_is_to_blame_for(tmp_path, error):
    def fails(kept, content):
        raise error

    answer, _ = tasks._telling(fails)({}, b"")

    class Answering:
        def ask(self, question, *, seconds):
            return answer, b""

    with pytest.raises(type(error)) as caught:
        conversion._Contained(tmp_path)._answer(Answering(), "", {})
    assert str(error) in str(caught.value)
