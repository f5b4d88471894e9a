import json
import shutil
from dataclasses import replace
from importlib.util import find_spec

import numpy as np
import pytest

from tests.conftest import tiny_arrays
from toolkit import data, extras, manifest
from toolkit.convention import Layout
from toolkit.errors import ArtifactError, DataError, DataUnavailableError, MissingExtraError, UsageError
from toolkit.files import sha256
from toolkit.parity import leaks, record
from toolkit.parity import verify as module
from toolkit.parity.verify import VerifyOptions, select, verify
from toolkit.reading import AS_THEY_ARE


def test_real_artifacts_match_their_reference(exported_once, tiny_npz):
    ((found, artifacts),) = select([exported_once])
    result = verify(found, artifacts, VerifyOptions(str(tiny_npz), margin_pp=5.0), warn=pytest.fail)
    assert [c.verdict for c in result.comparisons] == ["pass"] * 6
    assert result.dataset["n"] == 90
    float32 = [c for c in result.comparisons if c.quantization == "float32"]
    assert all(c.figures.max_abs_error < 1e-5 and c.figures.changed == 0 for c in float32)


def test_by_golden_real_artifacts_pass(exported_once):
    ((found, artifacts),) = select([exported_once])
    result = verify(found, artifacts, VerifyOptions(by_golden=True), warn=pytest.fail)
    assert {c.verdict for c in result.comparisons} == {"pass"}


@pytest.mark.slow
def test_weights_of_another_training_fail(exported, tiny_npz, tiny, tmp_path):
    """A whole, valid artifact of the same architecture that is not this model."""
    from toolkit.export import exporter
    from toolkit.export.formats import plan
    from toolkit.export.sources import resolve
    from toolkit.models import build

    extras.load("keras").utils.set_random_seed(0)  # by chance one gets most images right in another input range
    build("cnn", input_shape=(8, 8, 1), classes=3).save(tmp_path / "cnn.keras")
    other = exporter.export(
        resolve(str(tmp_path / "cnn.keras")),
        tiny,
        tmp_path / "other",
        exporter.ExportOptions(plan(["onnx"], ["float32"]), 20),
        warn=lambda text: None,
    )
    target = exported / "cnn-float32.onnx"
    target.write_bytes((other.manifest.folder / "cnn-float32.onnx").read_bytes())
    found = manifest.read(exported)
    forged = [a for a in other.manifest.artifacts if a.path == target.name]
    for options in (VerifyOptions(str(tiny_npz)), VerifyOptions(by_golden=True)):
        result = verify(found, forged, options, warn=pytest.fail)
        assert [c.verdict for c in result.comparisons] == ["fail"]


def test_a_changed_file_fails_and_the_others_are_still_judged(exported, tiny_npz):
    path = exported / "cnn-int8.onnx"
    path.write_bytes(path.read_bytes()[:-1] + b"\0")
    ((found, artifacts),) = select([exported])
    result = verify(found, artifacts, VerifyOptions(str(tiny_npz), margin_pp=5.0), warn=pytest.fail)
    assert {c.artifact.split("/")[-1]: c.verdict for c in result.comparisons if c.verdict != "pass"} == {
        "cnn-int8.onnx": "fail"
    }


def test_a_changed_reference_or_golden_is_an_error(exported, tiny_npz):
    ((found, artifacts),) = select([exported])
    for name, options in (("cnn.keras", VerifyOptions(str(tiny_npz))), ("golden.npz", VerifyOptions(by_golden=True))):
        (exported / name).write_bytes(b"changed")
        with pytest.raises(ArtifactError, match="changed since it was exported"):
            verify(found, artifacts, options, warn=pytest.fail)


def test_results_are_saved_in_the_manifest(exported, tiny_npz):
    ((found, artifacts),) = select([exported])
    record.save(verify(found, artifacts, VerifyOptions(str(tiny_npz)), warn=pytest.fail))
    assert [a.verified.dataset.others["n"] for a in manifest.read(exported).artifacts] == [90] * 6


def test_results_by_golden_never_replace_those_of_a_test_set(exported):
    ((found, artifacts),) = select([exported])
    before = (exported / "manifest.json").read_bytes()
    with pytest.raises(UsageError, match="measure no accuracy and are not saved"):
        record.save(verify(found, artifacts, VerifyOptions(by_golden=True), warn=pytest.fail))
    assert (exported / "manifest.json").read_bytes() == before


def test_without_tensorflow_the_golden_is_taken(exported_once, monkeypatch):
    monkeypatch.setattr(module, "installed", lambda name: name != "keras")
    ((found, artifacts),) = select([exported_once])
    said = []
    result = verify(found, artifacts, VerifyOptions(), warn=said.append)
    assert result.dataset["name"] == "golden"
    assert "TensorFlow is not installed" in said[0]
    with pytest.raises(UsageError, match="needs TensorFlow"):
        verify(found, artifacts, VerifyOptions("mnist"), warn=pytest.fail)


def test_artifacts_without_a_runtime_are_left_out_and_named(exported_once, monkeypatch):
    absent = ("onnxruntime", "tensorflow")
    monkeypatch.setattr("toolkit.extras.find_spec", lambda name: None if name in absent else find_spec(name))
    ((found, artifacts),) = select([exported_once])
    said = []
    result = verify(found, artifacts, VerifyOptions(by_golden=True), warn=said.append)
    assert {c.runtime for c in result.comparisons} == {"litert"}
    assert "2 artifacts left out, onnxruntime is not installed" in said[0]
    with pytest.raises(MissingExtraError, match="onnxruntime is not installed"):
        verify(found, artifacts[:2], VerifyOptions(by_golden=True), warn=pytest.fail)


def test_data_without_a_source_name_must_be_given(exported_once):
    ((found, artifacts),) = select([exported_once])
    with pytest.raises(DataError, match="give it by --data"):
        verify(found, artifacts, VerifyOptions(), warn=pytest.fail)


@pytest.mark.slow
def test_other_data_than_the_training_s_are_said(exported_once, tmp_path):
    names = ("x_train", "y_train", "x_test", "y_test")
    np.savez(tmp_path / "other.npz", **dict(zip(names, tiny_arrays(seed=1), strict=True)))
    ((found, artifacts),) = select([exported_once])
    said = []
    verify(found, artifacts[:1], VerifyOptions(str(tmp_path / "other.npz")), warn=said.append)
    assert "was trained on 'tiny', this is 'other'" in said[0]


@pytest.mark.slow
def test_data_that_folders_share_are_read_once(exported, tiny_npz, tmp_path, monkeypatch):
    again = shutil.copytree(exported, tmp_path / "exported" / "again")
    loaded, load = [], data.load
    monkeypatch.setattr(data, "load", lambda choice, **how: loaded.append(choice) or load(choice, **how))
    paths = [exported / "cnn-int8.tflite", again / "cnn-int8.tflite"]
    parity = module.verify_all(paths, VerifyOptions(str(tiny_npz), margin_pp=5.0), warn=pytest.fail)
    assert [len(part.comparisons) for part in parity.parts] == [1, 1]
    assert loaded == [str(tiny_npz)]


def test_other_data_are_read_in_the_place_of_the_last(tiny_npz, tmp_path):
    other = shutil.copyfile(tiny_npz, tmp_path / "other.npz")
    load = module._Shared()
    names = [load(str(path), warn=pytest.fail, reading=AS_THEY_ARE).name for path in (tiny_npz, other, tiny_npz)]
    assert names == ["tiny", "other", "tiny"]


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


def leaky_npz(folder, tiny, rows):
    """Data whose test images are training images of the tiny data."""
    arrays = list(tiny_arrays(seed=1))
    arrays[2][: len(rows)] = tiny.train.images[rows, ..., 0]
    np.savez(folder / "leaky.npz", **dict(zip(("x_train", "y_train", "x_test", "y_test"), arrays, strict=True)))
    return str(folder / "leaky.npz")


@pytest.mark.slow
def test_images_that_the_model_has_learned_from_are_no_test(exported_once, tmp_path, tiny):
    """Validation images too: the export has kept the digests of all of them."""
    ((found, artifacts),) = select([exported_once])
    leaky = leaky_npz(tmp_path, tiny, [3, 4, 230, 239])
    with pytest.raises(DataError, match=r"4 of the 90 test images are training images too \(rows 0, 1, 2, 3\)"):
        verify(found, artifacts[:1], VerifyOptions(leaky), warn=lambda text: None)
    result = verify(found, artifacts[:1], VerifyOptions(leaky, allow_overlap=True), warn=lambda text: None)
    assert result.overlaps
    assert (result.dataset["overlap"][0]["count"], result.dataset["overlap_checked"]) == (4, "all")


@pytest.mark.slow
def test_of_files_that_are_compared_with_each_other_those_of_a_manifest_are_known(exported_once, tmp_path, tiny):
    ((found, artifacts),) = select([exported_once])
    listed, foreign = exported_once / artifacts[0].path, tmp_path / "foreign.onnx"
    shutil.copy(listed, foreign)
    leaky = data.load(leaky_npz(tmp_path, tiny, [3]), warn=pytest.fail)

    def checked(*files, dataset=tiny):
        return leaks.check_files(files, dataset, allowed=True, warn=pytest.fail)

    assert checked(listed, found.reference_path) == {"overlap": [], "overlap_checked": "all"}
    assert checked(listed, foreign) == checked(foreign, dataset=leaky) == leaks.NOT_CHECKED
    beside_it = checked(foreign, listed, dataset=leaky)
    assert (beside_it["overlap"][0]["count"], beside_it["overlap_checked"]) == (1, None)


@pytest.mark.slow
def test_of_files_of_two_exports_all_is_said_that_either_has_learned_from(exported, exported_once, tmp_path, tiny):
    document = json.loads((exported / "manifest.json").read_text())
    document["data"]["rows"] = None
    (exported / "manifest.json").write_text(json.dumps(document))
    rows = document["calibration"]["rows"]
    other = next(row for row in range(len(tiny.train)) if row not in rows)
    leaky = data.load(leaky_npz(tmp_path, tiny, [rows[0], other]), warn=pytest.fail)
    whole, sampled = exported_once / "cnn-int8.tflite", exported / "cnn-int8.tflite"
    for files in ((whole, sampled), (sampled, whole)):
        said = leaks.check_files(files, leaky, allowed=True, warn=lambda text: None)
        assert {(one["other"], one["count"]) for one in said["overlap"]} == {("training", 2), ("calibration", 1)}
        assert said["overlap_checked"] == "calibration images"


@pytest.mark.slow
def test_without_the_digests_the_calibration_images_are_a_sample(exported_once, tmp_path, tiny):
    ((found, artifacts),) = select([exported_once])
    found = replace(found, data=replace(found.data, rows=None))
    leaky = leaky_npz(tmp_path, tiny, list(found.calibration.rows[:4]))
    said = []
    with pytest.raises(DataError, match="4 of the 90 test images are calibration images too"):
        verify(found, artifacts[:1], VerifyOptions(leaky), warn=said.append)
    assert "compared with a sample of them, its 50 calibration images" in said[-1]
    result = verify(found, artifacts[:1], VerifyOptions(leaky, allow_overlap=True), warn=said.append)
    assert result.dataset["overlap_checked"] == "calibration images"


@pytest.mark.slow
def test_a_sample_of_a_table_is_one_of_rows(exported_once, tiny):
    ((found, _),) = select([exported_once])
    convention = replace(found.convention, layout=Layout.VALUES)
    found = replace(found, convention=convention, data=replace(found.data, name="flowers", digests={}, rows=None))
    said = []
    checked = leaks.check_test_set(found, tiny, allowed=True, warn=said.append)
    assert checked.checked == "calibration rows"
    assert "its 50 calibration rows" in said[0]


@pytest.mark.slow
def test_without_the_digests_a_data_set_of_that_name_on_this_machine_is_asked(
    exported_once, tmp_path, tiny, monkeypatch
):
    ((found, artifacts),) = select([exported_once])
    found = replace(found, data=replace(found.data, rows=None, name="sample"))
    leaky = leaky_npz(tmp_path, tiny, [3])
    asked = []

    def load(name, *, warn, **options):
        asked.append(name)
        if name == "sample" and asked.count(name) == 2:
            raise DataUnavailableError("it is gone since")
        return tiny if name == "sample" else real(name, warn=warn)

    real = data.load
    monkeypatch.setattr(data, "load", load)
    with pytest.raises(DataError, match="1 of the 90 test images are training images too"):
        verify(found, artifacts[:1], VerifyOptions(leaky), warn=lambda text: None)
    result = verify(found, artifacts[:1], VerifyOptions(leaky, allow_overlap=True), warn=lambda text: None)
    assert asked.count("sample") == 2
    assert result.dataset["overlap_checked"] == "calibration images"


def test_damaged_digests_are_an_error(exported, tmp_path, tiny):
    (exported / "learned.npy").write_bytes(b"changed")
    ((found, artifacts),) = select([exported])
    with pytest.raises(ArtifactError, match=r"learned.npy: changed since it was exported"):
        verify(found, artifacts[:1], VerifyOptions(leaky_npz(tmp_path, tiny, [3])), warn=lambda text: None)


def test_digests_that_cannot_be_read_are_an_error(exported, tmp_path, tiny):
    """They are the file that the manifest speaks of."""
    (exported / "learned.npy").write_bytes(b"nonsense")
    document = json.loads((exported / "manifest.json").read_text())
    document["data"]["rows"]["sha256"] = sha256(exported / "learned.npy")
    (exported / "manifest.json").write_text(json.dumps(document))
    ((found, artifacts),) = select([exported])
    with pytest.raises(ArtifactError, match=r"learned\.npy: cannot be read as digests of images: "):
        verify(found, artifacts[:1], VerifyOptions(leaky_npz(tmp_path, tiny, [3])), warn=lambda text: None)


def test_a_run_that_was_trained_on_since_makes_its_export_stale(exported_once, trained_folder, here, tiny_npz):
    run = here / "runs" / "tiny-cnn"
    shutil.copytree(trained_folder, run)
    ((found, artifacts),) = select([exported_once])

    def verdict():
        result = verify(found, artifacts[:1], VerifyOptions(str(tiny_npz), margin_pp=5.0), warn=pytest.fail)
        return result.comparisons[0].problem

    assert verdict() is None
    (run / "best.keras").write_bytes(b"other weights")
    assert verdict().check == "stale"
    assert "runs/tiny-cnn/best.keras has changed since it was exported" in verdict().text
    config = json.loads((run / "config.json").read_text())
    config["recipe"]["seed"] = 99  # a run of that name that is another's
    (run / "config.json").write_text(json.dumps(config))
    assert verdict() is None


@pytest.mark.parametrize("margin", [-1.0, 101.0, float("nan")])
def test_a_margin_that_makes_no_sense_is_refused(margin):
    with pytest.raises(UsageError, match="the margin, in percentage points, is"):
        VerifyOptions(margin_pp=margin)
