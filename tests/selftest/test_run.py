"""A short form of the self-test on the sample, and what it must report when the gate is wrong."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from tests.conftest import SHIPPED
from toolkit import manifest
from toolkit.cli import call
from toolkit.data import load
from toolkit.errors import ArtifactError
from toolkit.files import sha256
from toolkit.parity.verify import VerifyOptions
from toolkit.selftest import files, models, run
from toolkit.selftest.run import NOTHING, FaultOutcome, SelfTested, self_test
from toolkit.worker.session import contained

FAULTS = {
    "inputs not divided by 255",
    "inputs inverted",
    "images transposed",
    "class order permuted",
    "weights of another run",
    "softmax missing",
    "calibration on constant images",
    "a stale artifact",
    "a wrong zero point",
    "a scale off by 2 %",
    "one channel's weights zeroed",
    "a NaN weight",
    "weights of 8 bits",
}


@pytest.fixture(scope="module")
def sample_mlp(tmp_path_factory):
    """An MLP trained on the sample and exported in the four ways that faults are planted into."""
    from toolkit.export.exporter import ExportOptions, export
    from toolkit.export.sources import resolve
    from toolkit.training.fit import train
    from toolkit.training.recipe import Recipe

    dataset = load("sample", warn=pytest.fail)
    folder = tmp_path_factory.mktemp("sample")
    train(Recipe(model="mlp", epochs=10), dataset, folder / "mlp-sample")
    export(resolve(str(folder / "mlp-sample")), dataset, folder / "mlp", ExportOptions(run.PAIRS), warn=pytest.fail)
    return folder / "mlp"


@pytest.mark.slow
def test_no_fault_slips_through_and_no_faultless_export_fails(sample_mlp, capsys, tmp_path):
    before = {path: path.read_bytes() for path in sample_mlp.iterdir()}
    code = call(["selftest", str(sample_mlp), "--data", "sample", "--reexports", "2", "--json"])
    document = json.loads(capsys.readouterr().out)
    assert document["command"] == "selftest"
    (result,) = document["results"]
    wrong = [outcome for outcome in result["outcomes"] if not outcome["right"]]
    assert wrong == []
    assert (code, document["verdict"], result["false_alarms"]) == (0, "pass", 0)
    assert {outcome["fault"] for outcome in result["outcomes"]} == {*FAULTS, NOTHING}
    caught = {(o["fault"], o["artifact"]): o["test_set"] for o in result["outcomes"]}
    assert "probabilities" in caught["softmax missing", "mlp-int8.tflite"]
    assert "stale" in caught["a stale artifact", "mlp-int8.tflite"]
    assert "numbers" in caught["a NaN weight", "mlp-float32.onnx"]
    assert "accuracy" in caught["inputs inverted", "mlp-int8.onnx"]
    assert caught["weights of 8 bits", "mlp-int8.onnx"] == ["saturation"]
    assert {path: path.read_bytes() for path in sample_mlp.iterdir()} == before


@pytest.mark.slow
def test_a_gate_that_sees_nothing_is_found_out(sample_mlp, monkeypatch):
    """With its checks taken away, the self-test must say so. One artifact and one faulted model are enough for that."""
    monkeypatch.setattr(run, "PAIRS", (("tflite", "int8"),))
    planted = models.faults
    monkeypatch.setattr(models, "faults", lambda *of: {"inputs inverted": planted(*of)["inputs inverted"]})
    for check in ("check_file", "check_specification", "check_recorded", "check_weights"):
        monkeypatch.setattr(f"toolkit.parity.checks.{check}", lambda *arguments, **options: None)
    for module in ("compare.checks.check_outputs", "verify.check_source"):
        monkeypatch.setattr(f"toolkit.parity.{module}", lambda *arguments, **options: None)
    dataset = load("sample", warn=pytest.fail)
    options = VerifyOptions(margin_pp=100.0)
    result = self_test(manifest.read(sample_mlp), dataset, options=options, reexports=0, warn=pytest.fail)
    assert not result.passed
    assert {o.fault for o in result.outcomes if not o.right} >= {
        "inputs inverted",
        "a scale off by 2 %",
        "a stale artifact",
    }


@pytest.mark.slow
def test_a_file_that_no_fault_can_be_edited_into_is_one_error_that_names_it(sample_mlp, monkeypatch):
    monkeypatch.setattr(run, "PAIRS", (("tflite", "int8"),))
    monkeypatch.setattr(files, "faults", lambda artifact: {"of a layer that is not there": lambda path: [][0]})
    dataset = load("sample", warn=pytest.fail)
    options = VerifyOptions(margin_pp=100.0)
    with pytest.raises(
        ArtifactError, match=r"mlp/mlp-int8\.tflite: cannot be read as a file that faults can be edited"
    ):
        self_test(manifest.read(sample_mlp), dataset, options=options, reexports=0, warn=pytest.fail)


def test_a_file_that_ends_its_process_is_named_before_a_fault_is_planted(tmp_path, monkeypatch):
    (tmp_path / "scratch").mkdir()
    folder = Path(shutil.copytree(SHIPPED, tmp_path / "mlp"))
    content = bytearray((folder / "mlp-float32.tflite").read_bytes())
    content[8], content[10] = 8, 0  # where a table begins
    (folder / "mlp-float32.tflite").write_bytes(content)
    found = manifest.read(SHIPPED)
    listed = next(one for one in found.artifacts if one.path == "mlp-float32.tflite")
    changed = replace(found, folder=folder, artifacts=(replace(listed, sha256=sha256(folder / listed.path)),))
    monkeypatch.setattr(run, "load_model", pytest.fail)
    with (
        contained() as workers,
        pytest.raises(ArtifactError, match=r"mlp-float32\.tflite: litert was ended by SIG\w+$"),
    ):
        run._Bench(
            changed,
            load("sample", warn=pytest.fail),
            tmp_path / "scratch",
            VerifyOptions(open_session=workers.open_session),
        )


def outcome(fault, *checks) -> FaultOutcome:
    return FaultOutcome(fault, "a.onnx", checks, ())


@pytest.mark.parametrize(
    ("outcomes", "reexports", "alarms", "passed"),
    [
        ([outcome("x", "digest"), outcome(NOTHING)], 20, 1, True),
        ([outcome("x", "digest"), outcome(NOTHING)], 20, 2, False),
        ([outcome("x"), outcome(NOTHING)], 20, 0, False),
        ([outcome("x", "digest"), outcome(NOTHING, "accuracy")], 20, 0, False),
    ],
)
def test_one_miss_or_too_many_alarms_fail_the_self_test(outcomes, reexports, alarms, passed):
    assert SelfTested(None, 1, tuple(outcomes), reexports, alarms).passed == passed
