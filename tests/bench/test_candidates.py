"""Which files a path stands for, and which of them can be measured."""

import os
import shutil
from importlib.util import find_spec

import pytest

from toolkit import manifest
from toolkit.bench.candidates import check_shapes, files, select
from toolkit.errors import ArtifactError, MissingExtraError, UsageError


def names(candidates):
    return [candidate.path.name for candidate in candidates]


def test_a_folder_stands_for_what_its_manifest_lists(exported):
    (exported / "stray.tflite").write_bytes(b"not listed")
    listed = [a.path for a in manifest.read(exported).artifacts]
    assert names(select([exported], warn=pytest.fail)) == listed
    assert names(select([exported.parent], warn=pytest.fail)) == listed
    assert names(select([exported / "cnn.keras"], warn=pytest.fail)) == ["cnn.keras"]


def test_a_keras_model_beside_other_files_is_not_measured(exported, tmp_path):
    theirs = tmp_path / "theirs"
    theirs.mkdir()
    shutil.copy(exported / "cnn.keras", theirs)
    assert [file.name for file in files(theirs)] == ["cnn.keras"]
    shutil.copy(exported / "cnn-int8.tflite", theirs)
    assert [file.name for file in files(theirs)] == ["cnn-int8.tflite"]


def test_without_a_manifest_every_file_of_a_folder_is_taken(exported, tmp_path):
    theirs = tmp_path / "theirs"
    theirs.mkdir()
    for name in ("cnn-int8.tflite", "cnn-float32.onnx"):
        shutil.copy(exported / name, theirs)
    candidates = select([theirs], warn=pytest.fail)
    assert sorted(names(candidates)) == ["cnn-float32.onnx", "cnn-int8.tflite"]
    assert {candidate.artifact for candidate in candidates} == {None}


def test_a_runtime_that_is_not_installed_is_named(exported, monkeypatch):
    absent = ("onnxruntime", "tensorflow")
    monkeypatch.setattr("toolkit.extras.find_spec", lambda name: None if name in absent else find_spec(name))
    said = []
    assert len(select([exported], warn=said.append)) == 4
    assert len(said) == 1
    assert said[0].startswith("2 files left out, onnxruntime is not installed; ")
    assert "edge-model-toolkit[onnx]" in said[0]
    with pytest.raises(MissingExtraError, match=r"onnxruntime is not installed; .*\[onnx\]"):
        select([exported / "cnn-float32.onnx"], warn=pytest.fail)


def test_a_shape_is_of_an_input_of_some_file_or_refused(exported, tmp_path):
    paths = [exported / "cnn-int8.tflite", exported / "cnn-float32.onnx"]
    check_shapes(paths, {"image": [4, 8, 8, 1]})
    (tmp_path / "broken.tflite").write_bytes(b"no model")
    check_shapes([*paths, tmp_path / "broken.tflite"], {"other": [1]})
    for shapes in ({"other": [1]}, {"image": [1, 9, 9, 1]}, {"image": [1, 8, 8, 1], "other": [1]}):
        with pytest.raises(
            ArtifactError, match=r"no file has an input '\w+' that can be \(1.*; they take image \(None"
        ):
            check_shapes(paths, shapes)


def test_places_without_artifacts_are_named(tmp_path, exported):
    (tmp_path / "empty").mkdir()
    (tmp_path / "text.txt").write_text("hello")
    with pytest.raises(ArtifactError, match="nothing to measure there; allowed: "):
        select([tmp_path / "empty"], warn=pytest.fail)
    with pytest.raises(ArtifactError, match="no such file or folder"):
        select([tmp_path / "none.tflite"], warn=pytest.fail)
    with pytest.raises(UsageError, match=r"no runtime runs '\.txt' files; allowed: "):
        select([tmp_path / "text.txt"], warn=pytest.fail)


def test_a_changed_artifact_is_not_measured(exported):
    (exported / "cnn-int8.tflite").write_bytes(b"changed")
    with pytest.raises(ArtifactError, match="changed since it was exported"):
        select([exported], warn=pytest.fail)


def test_what_is_no_file_is_called_what_it_is(tmp_path):
    os.mkfifo(tmp_path / "x.onnx")
    with pytest.raises(ArtifactError, match=r"x\.onnx: a pipe; give a file"):
        select([tmp_path / "x.onnx"], warn=pytest.fail)
