"""An export put in its place: what an earlier one of the same folder keeps, and what it loses."""

from dataclasses import replace

import pytest

from tests.export.test_exporter import snapshot
from toolkit import extras, golden, manifest
from toolkit.export import installation, sources
from toolkit.export.exporter import ExportOptions, export
from toolkit.export.formats import plan
from toolkit.parity import record as parity
from toolkit.parity.verify import VerifyOptions, on_test_set
from toolkit.verdict import Verdict


def test_outputs_for_other_rows_are_not_kept_beside_a_golden(exported_once):
    """Older exports had more rows of large images."""
    found = manifest.read(exported_once)
    record = golden.read(found.golden_path)
    made_from = (found.source.sha256, found.data.digests, found.calibration, str(found.convention))
    assert installation._earlier(exported_once, made_from, record) == found
    assert installation._earlier(exported_once, made_from, replace(record, images=record.images[:20])) is None


@pytest.mark.slow
def test_a_second_export_of_the_same_run_keeps_what_it_does_not_make(exported, trained_folder, tiny):
    before = snapshot(exported)
    source = sources.resolve(str(trained_folder))
    export(source, tiny, exported, ExportOptions(plan(["onnx"], ["float32"]), 50), warn=pytest.fail)
    found = manifest.read(exported)
    assert len(found.artifacts) == 6
    found.require(*found.artifacts, found.reference, found.golden)
    after = snapshot(exported)
    assert {name for name in before if before[name] != after[name]} <= {
        "manifest.json",
        "golden.npz",
        "cnn-float32.onnx",
    }
    assert set(golden.read(exported / "golden.npz").recorded) == {a.path for a in found.artifacts}


@pytest.mark.slow
def test_an_export_of_an_export_that_is_killed_before_its_manifest_is_there_can_be_made_again(exported, tiny):
    before = (exported / "manifest.json").read_bytes()
    original = sources.resolve(str(exported))
    export(original, tiny, exported, ExportOptions(plan(["onnx"], ["float32"]), 20), warn=pytest.fail)
    (exported / "manifest.json").write_bytes(before)
    assert sources.resolve(str(exported)).origin == original.origin


@pytest.mark.slow
def test_an_export_of_another_model_for_other_data_says_so_and_unlists_what_is_not_of_it(exported, tiny, tmp_path):
    from toolkit.models import build

    extras.load("keras").utils.set_random_seed(0)  # by chance one gets most images right in another input range
    build("cnn", input_shape=(8, 8, 1), classes=3).save(tmp_path / "cnn.keras")
    source = sources.resolve(str(tmp_path / "cnn.keras"))
    options = ExportOptions(plan(["onnx"], ["float32"]), 20)
    said = []  # also that it has learned nothing, mostly
    result = export(source, replace(tiny, name="fruit"), exported, options, warn=said.append)
    assert f"{exported}: its export for '{tiny.name}' is replaced by one for 'fruit'; --output keeps both" in said
    assert [a.path for a in manifest.read(exported).artifacts] == ["cnn-float32.onnx"]
    assert "cnn-int8.tflite" in [path.name for path in result.unlisted]
    assert (exported / "cnn-int8.tflite").is_file()


@pytest.mark.slow
def test_an_export_with_another_calibration_unlists_what_had_the_first(exported, trained_folder, tiny):
    source = sources.resolve(str(trained_folder))
    export(source, tiny, exported, ExportOptions(plan(["onnx"], ["int8"]), 20), warn=pytest.fail)
    found = manifest.read(exported)
    assert found.calibration.n == 20
    assert [a.path for a in found.artifacts] == ["cnn-int8.onnx"]


def verified(folder, tiny):
    """Save what a verification of the folder comes to, and return the verdicts."""
    found = manifest.read(folder)
    parity.save(on_test_set(found, found.artifacts, tiny, VerifyOptions(margin_pp=5.0), pytest.fail))
    return {artifact.path: artifact.verified.verdict for artifact in manifest.read(folder).artifacts}


@pytest.mark.slow
def test_what_is_exported_again_byte_for_byte_keeps_its_verdict_and_record(exported, trained_folder, tiny):
    source = sources.resolve(str(trained_folder))
    options = ExportOptions(plan(["tflite"], ["float32", "int8"]), 50)
    export(source, tiny, exported, options, warn=pytest.fail)  # stored ones may have other bytes
    verdicts = verified(exported, tiny)
    assert set(verdicts.values()) <= {Verdict.PASS, Verdict.INCONCLUSIVE}
    export(source, tiny, exported, options, warn=pytest.fail)
    found = manifest.read(exported)
    assert {artifact.path: artifact.verified.verdict for artifact in found.artifacts} == verdicts
    assert parity.recompute(exported / parity.RECORD).differences == ()
    failed = (replace(one, verified=replace(one.verified, verdict=Verdict.FAIL)) for one in found.artifacts)
    replace(found, artifacts=tuple(failed)).write()
    export(source, tiny, exported, options, warn=pytest.fail)
    unknown = {artifact.path for artifact in manifest.read(exported).artifacts if artifact.verified is None}
    assert unknown == {"cnn-float32.tflite", "cnn-int8.tflite"}
    assert not {parity.RECORD, parity.ROWS} & {path.name for path in exported.iterdir()}


@pytest.mark.slow
def test_a_parity_record_of_other_artifacts_does_not_stay(exported, trained_folder, tiny):
    verified(exported, tiny)
    export(sources.resolve(str(trained_folder)), tiny, exported, ExportOptions(plan(["tflite"], []), 20), warn=str)
    assert not {parity.RECORD, parity.ROWS} & {path.name for path in exported.iterdir()}
