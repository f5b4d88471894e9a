"""Real workers on the tiny artifacts, and files that do not run."""

import json
import re
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from toolkit import manifest
from toolkit.bench import schedule
from toolkit.bench.schedule import bench, new_folder, select
from toolkit.errors import ArtifactError, MissingExtraError, UsageError


def names(candidates):
    return [candidate.path.name for candidate in candidates]


def test_a_folder_stands_for_what_its_manifest_lists(exported):
    (exported / "stray.tflite").write_bytes(b"not listed")
    listed = [a.path for a in manifest.read(exported).artifacts]
    assert names(select([exported], warn=pytest.fail)) == [*listed, "cnn.keras"]
    assert names(select([exported.parent], warn=pytest.fail)) == [*listed, "cnn.keras"]


def test_anybody_s_files_are_taken(exported, tmp_path):
    theirs = tmp_path / "theirs"
    theirs.mkdir()
    for name in ("cnn-int8.tflite", "cnn-float32.onnx"):
        (theirs / name).write_bytes((exported / name).read_bytes())
    candidates = select([theirs], warn=pytest.fail)
    assert sorted(names(candidates)) == ["cnn-float32.onnx", "cnn-int8.tflite"]
    record = bench(candidates, tmp_path / "record", seconds=0.05)
    assert [result["speedup"] for result in record.to_json()["results"]] == [None, None]
    assert record.to_json()["recommended"]["threads"] == 1


def test_models_of_several_inputs_and_outputs_are_measured(tmp_path):
    from onnx import TensorProto, helper, save

    nodes = [helper.make_node("Gather", ["table", "word"], ["row"]), helper.make_node("Neg", ["row"], ["negative"])]
    graph = helper.make_graph(
        nodes,
        "two",
        [
            helper.make_tensor_value_info("table", TensorProto.FLOAT, [4, 3]),
            helper.make_tensor_value_info("word", TensorProto.INT64, [4]),
        ],
        [
            helper.make_tensor_value_info("row", TensorProto.FLOAT, [4, 3]),
            helper.make_tensor_value_info("negative", TensorProto.FLOAT, [4, 3]),
        ],
    )
    save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8), tmp_path / "two.onnx")
    candidates = select([tmp_path / "two.onnx"], warn=pytest.fail)
    assert bench(candidates, tmp_path / "record", batches=[4], seconds=0.02).failures == {}
    refused = bench(candidates, tmp_path / "other", batches=[1], seconds=0.02)
    assert "its batch is fixed to 4, 1 was asked for" in next(iter(refused.failures.values()))


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


@pytest.mark.slow
def test_a_record_holds_every_figure_and_the_raw_samples(exported, tmp_path):
    candidates = [c for c in select([exported], warn=pytest.fail) if c.runtime == "litert"]
    record = bench(candidates, tmp_path / "record", threads=[1, 2], seconds=0.05)
    document = json.loads((tmp_path / "record" / "record.json").read_text())
    assert document == record.to_json()
    assert len(document["results"]) == 8
    required = {
        "artifact", "runtime", "threads", "batch", "n", "median_s", "median_ci95_s", "p90_s", "p99_s", "load_s",
        "first_s", "end_to_end_median_s", "peak_rss_bytes", "speedup", "speedup_ci95", "verdict", "warnings",
    }  # fmt: skip
    for result in document["results"]:
        assert required <= result.keys()
        low, high = result["median_ci95_s"]
        assert 0 < low <= result["median_s"] <= high
        assert result["peak_rss_bytes"] > 10_000_000
        with np.load(tmp_path / "record" / result["samples"]) as samples:
            assert len(samples["invoke_ns"]) == result["n"]
            assert np.median(samples["invoke_ns"]) / 1e9 == pytest.approx(result["median_s"])
    baselines = [r for r in document["results"] if r["verdict"] == "baseline"]
    assert {Path(r["artifact"]).name for r in baselines} == {"cnn-float32.tflite"}
    assert {r["verdict"] for r in document["results"]} <= {"baseline", "faster", "slower", "indistinguishable"}
    assert document["recommended"]["artifact"] in {str(c.path) for c in candidates}


@pytest.mark.slow
def test_batches_are_run(exported, tmp_path):
    candidates = select([exported / "cnn-int8.onnx", exported / "cnn-int8.tflite"], warn=pytest.fail)
    record = bench(candidates, tmp_path / "record", batches=[1, 16], seconds=0.05)
    assert record.failures == {}
    assert [result.batch for result in record.results] == [1, 16, 1, 16]


@pytest.mark.slow
@pytest.mark.parametrize("suffix", [".tflite", ".onnx", ".keras"])
@pytest.mark.parametrize("content", [b"", b"nonsense", None])
def test_a_file_that_does_not_run_is_a_failure_and_the_others_go_on(exported, tmp_path, suffix, content):
    source = exported / {".tflite": "cnn-int8.tflite", ".onnx": "cnn-int8.onnx", ".keras": "cnn.keras"}[suffix]
    broken = tmp_path / f"broken{suffix}"
    broken.write_bytes(source.read_bytes()[:3000] if content is None else content)
    candidates = select([broken, exported / "cnn-int8.tflite"], warn=pytest.fail)
    record = bench(candidates, tmp_path / "record", seconds=0.02)
    assert list(record.failures) == [str(broken)]
    assert str(broken) in record.failures[str(broken)]
    assert len(record.results) == 1


def test_a_worker_that_crashes_is_named_by_its_signal(exported, tmp_path, monkeypatch):
    monkeypatch.setattr(schedule.sys, "executable", "/bin/sh")
    monkeypatch.setattr(schedule.Request, "to_json", lambda self: "")
    script = tmp_path / "sh"
    script.write_text("#!/bin/sh\nkill -ILL $$\n")
    script.chmod(0o755)
    monkeypatch.setattr(schedule.sys, "executable", str(script))
    candidates = select([exported / "cnn-int8.tflite"], warn=pytest.fail)
    record = bench(candidates, tmp_path / "record", seconds=0.02)
    assert re.search(r"litert was ended by SIGILL", record.failures[str(exported / "cnn-int8.tflite")])


def test_under_emulation_no_latency_is_given(exported, tmp_path, monkeypatch):
    from dataclasses import replace

    real = schedule.host.describe()
    monkeypatch.setattr(schedule.host, "describe", lambda: replace(real, emulated=True))
    candidates = select([exported / "cnn-int8.tflite"], warn=pytest.fail)
    document = bench(candidates, tmp_path / "record", seconds=0.02).to_json()
    (result,) = document["results"]
    assert result["median_s"] is None
    assert "emulated" in result["warnings"][0]
    assert document["recommended"] is None


@pytest.mark.parametrize("wrong", [{"threads": [0]}, {"batches": [0]}, {"seconds": 0}, {"threads": []}])
def test_nonsense_is_refused_before_anything_is_written(exported, tmp_path, wrong):
    candidates = select([exported / "cnn-int8.tflite"], warn=pytest.fail)
    with pytest.raises(UsageError, match="at least 1"):
        bench(candidates, tmp_path / "record", **wrong)
    assert not (tmp_path / "record").exists()


def test_two_records_of_one_second_do_not_share_a_folder(tmp_path):
    first = new_folder(tmp_path)
    first.mkdir()
    assert new_folder(tmp_path) != first
