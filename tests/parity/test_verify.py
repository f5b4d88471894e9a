from importlib.util import find_spec

import numpy as np
import pytest

from tests.conftest import tiny_arrays
from toolkit import manifest
from toolkit.errors import ArtifactError, DataError, MissingExtraError, UsageError
from toolkit.parity import verify as module
from toolkit.parity.verify import select, verify


def test_real_artifacts_match_their_reference(exported_once, tiny_npz):
    ((found, artifacts),) = select([exported_once])
    result = verify(found, artifacts, data_choice=str(tiny_npz), by_golden=False, margin_pp=5.0, warn=pytest.fail)
    assert [c.verdict for c in result.comparisons] == ["pass"] * 6
    assert result.dataset["n"] == 90
    float32 = [c for c in result.comparisons if c.quantization == "float32"]
    assert all(c.max_abs_error < 1e-5 and c.lost == c.gained == 0 for c in float32)


def test_by_golden_real_artifacts_pass(exported_once):
    ((found, artifacts),) = select([exported_once])
    result = verify(found, artifacts, data_choice=None, by_golden=True, warn=pytest.fail)
    assert {c.verdict for c in result.comparisons} == {"pass"}


def test_weights_of_another_training_fail(exported, tiny_npz, tiny, tmp_path):
    """A whole, valid artifact of the same architecture that is not this model."""
    from toolkit.export.exporter import Options, export
    from toolkit.export.formats import plan
    from toolkit.export.sources import Source
    from toolkit.models import build

    build("cnn", input_shape=(8, 8, 1), classes=3).save(tmp_path / "cnn.keras")
    other = export(
        Source(tmp_path / "cnn.keras", "cnn", None),
        tiny,
        tmp_path / "other",
        Options(plan(["onnx"], ["float32"]), 20),
        warn=pytest.fail,
    )
    target = exported / "cnn-float32.onnx"
    target.write_bytes((other.manifest.folder / "cnn-float32.onnx").read_bytes())
    found = manifest.read(exported)
    forged = [a for a in other.manifest.artifacts if a.path == target.name]
    for options in ({"data_choice": str(tiny_npz), "by_golden": False}, {"data_choice": None, "by_golden": True}):
        result = verify(found, forged, **options, warn=pytest.fail)
        assert [c.verdict for c in result.comparisons] == ["fail"]


def test_a_changed_file_fails_and_the_others_are_still_judged(exported, tiny_npz):
    path = exported / "cnn-int8.onnx"
    path.write_bytes(path.read_bytes()[:-1] + b"\0")
    ((found, artifacts),) = select([exported])
    result = verify(found, artifacts, data_choice=str(tiny_npz), by_golden=False, margin_pp=5.0, warn=pytest.fail)
    assert {c.artifact.split("/")[-1]: c.verdict for c in result.comparisons if c.verdict != "pass"} == {
        "cnn-int8.onnx": "fail"
    }


def test_a_changed_reference_or_golden_is_an_error(exported, tiny_npz):
    ((found, artifacts),) = select([exported])
    for name, by_golden in (("cnn.keras", False), ("golden.npz", True)):
        (exported / name).write_bytes(b"changed")
        with pytest.raises(ArtifactError, match="changed since it was exported"):
            verify(found, artifacts, data_choice=str(tiny_npz), by_golden=by_golden, warn=pytest.fail)


def test_results_are_saved_in_the_manifest(exported, tiny_npz):
    ((found, artifacts),) = select([exported / "cnn-int8.tflite"])
    verify(found, artifacts, data_choice=str(tiny_npz), by_golden=False, warn=pytest.fail).save()
    saved = {a.path: a.verified for a in manifest.read(exported).artifacts}
    assert saved["cnn-int8.tflite"]["dataset"]["n"] == 90
    assert saved["cnn-float32.onnx"] is None


def test_results_by_golden_never_replace_those_of_a_test_set(exported):
    ((found, artifacts),) = select([exported])
    before = (exported / "manifest.json").read_bytes()
    with pytest.raises(UsageError, match="measure no accuracy and are not saved"):
        verify(found, artifacts, data_choice=None, by_golden=True, warn=pytest.fail).save()
    assert (exported / "manifest.json").read_bytes() == before


def test_without_tensorflow_the_golden_is_taken(exported_once, monkeypatch):
    monkeypatch.setattr(module, "installed", lambda name: name != "keras")
    ((found, artifacts),) = select([exported_once])
    said = []
    result = verify(found, artifacts, data_choice=None, by_golden=False, warn=said.append)
    assert result.dataset["name"] == "golden"
    assert "TensorFlow is not installed" in said[0]
    with pytest.raises(UsageError, match="needs TensorFlow"):
        verify(found, artifacts, data_choice="mnist", by_golden=False, warn=pytest.fail)


def test_artifacts_without_a_runtime_are_left_out_and_named(exported_once, monkeypatch):
    absent = ("onnxruntime", "tensorflow")
    monkeypatch.setattr("toolkit.extras.find_spec", lambda name: None if name in absent else find_spec(name))
    ((found, artifacts),) = select([exported_once])
    said = []
    result = verify(found, artifacts, data_choice=None, by_golden=True, warn=said.append)
    assert {c.runtime for c in result.comparisons} == {"litert"}
    assert "2 artifacts left out, onnxruntime is not installed" in said[0]
    with pytest.raises(MissingExtraError, match="onnxruntime is not installed"):
        verify(found, artifacts[:2], data_choice=None, by_golden=True, warn=pytest.fail)


def test_data_without_a_source_name_must_be_given(exported_once):
    ((found, artifacts),) = select([exported_once])
    with pytest.raises(DataError, match="give it by --data"):
        verify(found, artifacts, data_choice=None, by_golden=False, warn=pytest.fail)


def test_other_data_than_the_training_s_are_said(exported_once, tmp_path):
    names = ("x_train", "y_train", "x_test", "y_test")
    np.savez(tmp_path / "other.npz", **dict(zip(names, tiny_arrays(seed=1), strict=True)))
    ((found, artifacts),) = select([exported_once])
    said = []
    verify(found, artifacts[:1], data_choice=str(tmp_path / "other.npz"), by_golden=False, warn=said.append)
    assert "was trained on 'tiny', this is 'other'" in said[0]


def test_paths_that_lead_nowhere_are_named(exported, tmp_path):
    (tmp_path / "empty").mkdir()
    for path, message in (
        (tmp_path / "none", "no such file or folder"),
        (tmp_path / "empty", r"no manifest\.json there or in its subfolders"),
        (exported / "golden.npz", "does not list it as an artifact"),
    ):
        with pytest.raises(ArtifactError, match=message):
            select([path])


def test_an_artifact_named_twice_is_judged_once(exported):
    ((_, artifacts),) = select([exported, exported / "cnn-int8.tflite"])
    assert len(artifacts) == 6


@pytest.mark.parametrize("margin", [-1.0, 101.0, float("nan")])
def test_a_margin_that_makes_no_sense_is_refused(exported_once, margin):
    ((found, artifacts),) = select([exported_once])
    with pytest.raises(UsageError, match="the margin is"):
        verify(found, artifacts, data_choice=None, by_golden=True, margin_pp=margin, warn=pytest.fail)
