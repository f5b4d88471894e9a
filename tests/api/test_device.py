"""What a device needs, from Python."""

import zipfile
from pathlib import Path

from toolkit import api
from toolkit.bundle import choose


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


def test_a_named_artifact_is_packed_with_the_setting_that_won(exported_once, here, monkeypatch):
    winner = choose.Winner("without XNNPACK", "benchmarks/1")
    monkeypatch.setattr(choose, "tuned", lambda manifest, artifact, benchmarks: winner)
    packed = api.bundle(exported_once / "cnn-int8.tflite")
    assert (packed.to_json()["setting"], packed.to_json()["tuned_in"]) == ("without XNNPACK", "benchmarks/1")
    with zipfile.ZipFile(packed.path) as archive:
        assert b"BUILTIN_WITHOUT_DEFAULT_DELEGATES" in archive.read("cnn-int8-tflite/classify.py")


def test_doctor_examines_the_machine(exported, monkeypatch):
    monkeypatch.setattr("toolkit.doctor.report.parts", lambda: ("numpy",))
    monkeypatch.setattr("toolkit.doctor.artifacts.failures", lambda *_, **__: {})
    steps = []
    (exported / "cnn-int8.onnx").write_bytes(b"changed")
    report = api.doctor(exported, on_step=steps.append)
    assert [(step.done, step.total, step.text) for step in steps] == [(0, 2, "numpy"), (1, 2, "artifacts")]
    assert not report
    assert "cnn-int8.onnx" in report.findings[0].name
