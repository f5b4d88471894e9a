"""What a doctor looks at: what manifests list, and files that are asked for by themselves, whosever they are."""

import os
import shutil
from pathlib import Path

import pytest

from toolkit.doctor.files import find
from toolkit.errors import ArtifactError, UsageError
from toolkit.files import sha256


def named(*paths):
    """Return the names of the files that are found, each with whether a manifest lists it; nothing is unreadable."""
    files, unreadable = find(paths)
    assert unreadable == {}
    return [(file.path.name, file.listed) for file in files]


def test_a_file_is_looked_at_alone(shipped):
    for name in ("mlp-int8.onnx", "golden.npz"):
        assert named(shipped / name) == [(name, True)]
    found = named(shipped / "manifest.json")
    assert found == named(shipped) == named(shipped.parent)
    assert ("mlp.keras", True) in found


def test_a_file_that_no_manifest_lists_needs_none(shipped, tmp_path):
    alone = Path(shutil.copyfile(shipped / "mlp-int8.onnx", tmp_path / "alone.onnx"))
    beside = Path(shutil.copyfile(shipped / "mlp-int8.onnx", shipped / "beside.onnx"))
    for path in (alone, beside):
        (file,), _ = find([path])
        assert (file.path, file.sha256, file.problem, file.listed) == (path, sha256(path), None, False)


def test_a_folder_without_a_manifest_is_what_a_benchmark_takes_of_it(shipped, tmp_path):
    (shipped / "manifest.json").unlink()
    assert named(shipped) == [("mlp-int8.onnx", False), ("mlp-int8.tflite", False)]
    (tmp_path / "empty").mkdir()
    with pytest.raises(ArtifactError, match=r"empty: neither a manifest\.json nor a model there or below; allowed: "):
        find([tmp_path / "empty"])


def test_a_manifest_that_cannot_be_read_is_told_of_each_file_beside_it(shipped):
    (shipped / "manifest.json").write_text("{")
    for path in (shipped, shipped / "mlp-int8.onnx"):
        files, unreadable = find([path])
        assert (files, list(unreadable)) == ([], [shipped / "manifest.json"])


def test_what_is_no_model_or_no_file_is_refused(tmp_path):
    (tmp_path / "x.png").write_bytes(b"x")
    with pytest.raises(UsageError, match=r"x\.png: no runtime runs '\.png' files; allowed: "):
        find([tmp_path / "x.png"])
    os.mkfifo(tmp_path / "x.onnx")
    with pytest.raises(ArtifactError, match=r"x\.onnx: a pipe; give a file"):
        find([tmp_path / "x.onnx"])
    (tmp_path / "empty.onnx").touch()
    with pytest.raises(ArtifactError, match=r"empty\.onnx: an empty file"):
        find([tmp_path / "empty.onnx"])
