import json
import re
from pathlib import Path

import pytest

from toolkit import golden, manifest
from toolkit.entries import MeasuredOn
from toolkit.errors import ArtifactError

# The least that a verify result says of an artifact.
VERIFIED = {
    "verdict": "pass",
    "accuracy": 0.9,
    "reference_accuracy": 0.9,
    "lost": 0,
    "gained": 0,
    "n": 10,
    "margin_pp": 0.5,
    "dataset": {"name": "digits", "overlap": []},
}


def with_verified(text, verified):
    """Return a manifest's text with a verify result of its first artifact."""
    document = json.loads(text)
    document["artifacts"][0]["verified"] = verified
    return json.dumps(document)


def test_a_manifest_survives_a_round_trip(exported):
    found = manifest.read(exported)
    found.write()
    assert manifest.read(exported) == found
    assert [a.path for a in found.artifacts] == [
        "cnn-float32.onnx",
        "cnn-int8.onnx",
        "cnn-float32.tflite",
        "cnn-float16.tflite",
        "cnn-dynamic.tflite",
        "cnn-int8.tflite",
    ]


@pytest.mark.parametrize("model", ["cnn", "mlp"])
def test_a_manifest_of_before_is_written_as_it_was(model, tmp_path):
    before = (Path(__file__).parents[1] / "exported" / model / "manifest.json").read_text(encoding="utf-8")
    (tmp_path / "manifest.json").write_text(before, encoding="utf-8")
    manifest.read(tmp_path).write()
    assert json.loads((tmp_path / "manifest.json").read_text(encoding="utf-8")) == json.loads(before)


def test_a_manifest_says_where_the_artifacts_came_from(exported):
    found = manifest.read(exported)
    assert found.data.name == "tiny"
    assert len(found.data.digests) == 4
    assert found.recipe.epochs == 4
    assert found.calibration.n == len(found.calibration.row_sha256_16) == 50
    assert {"tensorflow", "onnxruntime", "ai-edge-litert"} <= found.versions.keys()
    assert found.source.metrics.epochs_run == 4


def test_a_manifest_says_on_which_kernels_an_accuracy_was_measured_where_that_is_recorded(exported):
    path = exported / "manifest.json"
    on = {"cpu": "a PC", "kernels": "x86_64 with AVX2", "runtime": "onnxruntime 1.32.0"}
    path.write_text(with_verified(path.read_text(), {**VERIFIED, "measured_on": on}))
    first, second, *_ = manifest.read(exported).artifacts
    assert first.measured_on == MeasuredOn("a PC", "x86_64 with AVX2", "onnxruntime 1.32.0")
    assert second.measured_on is None
    path.write_text(with_verified(path.read_text(), VERIFIED))
    assert manifest.read(exported).artifacts[0].measured_on is None


def test_a_changed_file_is_named(exported):
    path = exported / "cnn-int8.tflite"
    path.write_bytes(path.read_bytes() + b"\0")
    found = manifest.read(exported)
    with pytest.raises(ArtifactError, match=re.escape(f"{path}: changed since it was exported")):
        found.require(*found.artifacts)


def test_a_missing_file_is_named(exported):
    (exported / "cnn-int8.tflite").unlink()
    found = manifest.read(exported)
    with pytest.raises(ArtifactError, match=r"cnn-int8\.tflite: named in .* but missing"):
        found.require(*found.artifacts)


@pytest.mark.parametrize(
    "change",
    [
        lambda text: "",
        lambda text: "[]",
        lambda text: text[: len(text) // 2],
        lambda text: json.dumps({**json.loads(text), "schema": 99}),
        lambda text: json.dumps({k: v for k, v in json.loads(text).items() if k != "artifacts"}),
        lambda text: json.dumps({**json.loads(text), "surplus": 1}),
        lambda text: json.dumps({**json.loads(text), "model": "into/another"}),
        lambda text: json.dumps({**json.loads(text), "recipe": {**json.loads(text)["recipe"], "augment": 5}}),
        *(
            lambda text, verified=verified: with_verified(text, verified)
            for verified in (
                "pass",
                {"verdict": "pass"},
                {**VERIFIED, "lost": 0.5},
                {**VERIFIED, "measured_on": "a PC"},
                {**VERIFIED, "measured_on": {"cpu": "a PC"}},
                {**VERIFIED, "measured_on": ["a PC"]},
            )
        ),
    ],
)
def test_a_damaged_manifest_is_refused(exported, change):
    path = exported / "manifest.json"
    path.write_text(change(path.read_text()))
    with pytest.raises(ArtifactError, match=r"manifest\.json"):
        manifest.read(exported)


def test_a_folder_without_manifest_says_what_to_do(tmp_path):
    with pytest.raises(ArtifactError, match="'toolkit export' writes one"):
        manifest.read(tmp_path)


def test_a_golden_is_the_same_bytes_for_the_same_content(exported, tmp_path):
    record = golden.read(exported / "golden.npz")
    record.write(tmp_path / "a.npz")
    record.write(tmp_path / "b.npz")
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()
    assert set(record.recorded) == {a.path for a in manifest.read(exported).artifacts}


@pytest.mark.parametrize("keep", [0, 100, 5000])
def test_a_truncated_golden_is_refused(exported, keep):
    path = exported / "golden.npz"
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(ArtifactError, match=r"golden\.npz: (cannot be read|an empty file)"):
        golden.read(path)
