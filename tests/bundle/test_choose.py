"""What is bundled if only a model is named: what the newest benchmark recommends."""

import json
from dataclasses import replace

import pytest

from toolkit import host, manifest
from toolkit.bundle.choose import Winner, recommendation, recommended, resolve, tuned
from toolkit.errors import ArtifactError


def test_a_model_is_given_by_folder_name_or_artifact(exported):
    for given in (str(exported), "cnn"):
        found, choice = resolve(given, exported.parent)
        assert (found.folder, choice) == (exported, None)
    _, choice = resolve(str(exported / "cnn-int8.onnx"), exported.parent)
    assert choice.artifact.path == "cnn-int8.onnx"
    with pytest.raises(ArtifactError, match=r"cnn\.keras: not an artifact of .*; allowed: cnn-float32\.onnx, "):
        resolve(str(exported / "cnn.keras"), exported.parent)
    with pytest.raises(ArtifactError, match=r"no model of .*exported/ \(there: cnn\)"):
        resolve("resnet", exported.parent)


@pytest.fixture
def record(exported, tmp_path):
    """Write a record of a benchmark on this machine; keyword arguments change it."""

    def write(name, recommends, *, artifacts=None, **changes):
        found = manifest.read(exported)
        listed = artifacts or [entry.path for entry in found.artifacts]
        digests = {entry.path: entry.sha256 for entry in found.artifacts}
        document = {
            "host": {**host.describe().to_json(), "emulated": False},
            "record": f"benchmarks/{name}",
            "interrupted": False,
            "failures": {},
            "results": [{"artifact": f"there/{path}", "sha256": digests.get(path)} for path in listed],
            "recommendations": [{"artifact": f"there/{recommends}", "why": "fastest", "fits": True}],
            **changes,
        }
        folder = tmp_path / "benchmarks" / name
        folder.mkdir(parents=True)
        (folder / "record.json").write_text(json.dumps(document))
        return document

    return write


def test_the_newest_benchmark_of_these_artifacts_here_is_asked(record, exported, tmp_path):
    found = manifest.read(exported)
    assert recommended(found, tmp_path / "benchmarks") is None
    record("1", "cnn-float32.onnx")
    record("2", "cnn-int8.tflite")
    elsewhere = {**host.describe().to_json(), "cpu": "another"}
    record("3", "cnn-float16.tflite", host=elsewhere)
    record("4", "cnn-float16.tflite", interrupted=True)
    record("5", "cnn-float16.tflite", artifacts=["cnn-float16.tflite"])
    record("6", "cnn-float16.tflite", results=[])
    (tmp_path / "benchmarks" / "7").mkdir()
    (tmp_path / "benchmarks" / "7" / "record.json").write_text('{"host": []}')
    choice = recommended(found, tmp_path / "benchmarks")
    newest = str(tmp_path / "benchmarks" / "2")
    assert (choice.artifact.path, choice.why, choice.record) == ("cnn-int8.tflite", "fastest", newest)
    record("8", "cnn-float32.onnx", failures={"there/cnn-int8.tflite": "crashed"},
           artifacts=[entry.path for entry in found.artifacts if entry.path != "cnn-int8.tflite"])  # fmt: skip
    assert recommended(found, tmp_path / "benchmarks").record == str(tmp_path / "benchmarks" / "8")
    record("9", "cnn-float32.onnx", results=[], failures={entry.path: "crashed" for entry in found.artifacts})
    assert recommended(found, tmp_path / "benchmarks").record == str(tmp_path / "benchmarks" / "8")


def test_the_setting_is_that_which_won_where_settings_were_tried_last(record, exported, tmp_path):
    found, benchmarks = manifest.read(exported), tmp_path / "benchmarks"
    (onnx,) = (entry for entry in found.artifacts if entry.path == "cnn-int8.onnx")
    result = {"artifact": "there/cnn-int8.onnx", "sha256": onnx.sha256}
    assert tuned(found, onnx, benchmarks) is None
    taken_of = {
        "without arena": "without arena",
        "without IO binding": None,  # the script never binds
        "import os": None,
        None: None,
        "2 threads": "2 threads",
    }
    left_out = {**result, "tuned": {"tried": [], "best": None}}
    for number, (best, taken) in enumerate(taken_of.items()):
        record(str(number), onnx.path, results=[result, {**result, "tuned": {"tried": [{}], "best": best}}])
        record(f"{number} later, all left out", onnx.path, results=[left_out])
        record(f"{number} later, untuned", onnx.path)
        other = {**result, "sha256": "0" * 64, "tuned": {"tried": [{}], "best": "without arena"}}
        record(f"{number} later, of another file", onnx.path, results=[other])
        assert tuned(found, onnx, benchmarks) == (taken and Winner(taken, str(benchmarks / str(number))))


def test_a_benchmark_of_other_weights_is_not_asked(record, exported, tmp_path):
    record("1", "cnn-int8.tflite")
    found = manifest.read(exported)
    newer = tuple(replace(entry, sha256="0" * 64) for entry in found.artifacts)
    assert recommended(replace(found, artifacts=newer), tmp_path / "benchmarks") is None


def test_where_nothing_is_recommended_the_reason_is_said(record, exported):
    found = manifest.read(exported)
    emulated = {**host.describe().to_json(), "emulated": True}
    document = record("1", "cnn-int8.tflite", host=emulated, recommendations=[])
    with pytest.raises(ArtifactError, match=r"recommends nothing of .* \(under emulation no latency is given\)"):
        recommendation(document, found)
    misses = [{"artifact": "there/cnn-int8.tflite", "why": "", "fits": False}]
    with pytest.raises(ArtifactError, match=r"\(nothing fits\); name an artifact"):
        recommendation(record("2", "cnn-int8.tflite", recommendations=misses), found)
    failures = {"there/cnn-int8.tflite": "it was ended by SIGSEGV"}
    with pytest.raises(ArtifactError, match=r"\(it was ended by SIGSEGV\); name an artifact"):
        recommendation(record("3", "cnn-int8.tflite", recommendations=[], results=[], failures=failures), found)
