"""Artifacts whose answers are not those of their golden, or may be others elsewhere: timed, and not recommended."""

import json
import re
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.bench.made_up import QUICK, answer, passed_on
from tests.elsewhere import elsewhere, write_golden
from toolkit import golden, manifest
from toolkit.bench import opening
from toolkit.bench.candidates import select
from toolkit.bench.measure import INVOKE
from toolkit.bench.record import read, recompute
from toolkit.bench.schedule import bench
from toolkit.bench.tasks import CHECK
from toolkit.cli import call
from toolkit.selftest.files import faults
from toolkit.worker import process


@pytest.mark.slow
def test_an_artifact_that_answers_otherwise_than_recorded_is_timed_and_never_recommended(exported, tmp_path):
    elsewhere(exported, "cnn-int8.tflite")
    candidates = select([exported / "cnn-int8.tflite", exported / "cnn-float32.tflite"], warn=pytest.fail)
    record = bench(candidates, tmp_path / "record", QUICK)
    otherwise, held = record.to_json()["results"]
    assert otherwise["golden"] == "90 of 90 predictions are not those of the machine that exported it"
    assert held["golden"] is None
    assert otherwise["median_s"] > 0
    assert record.to_json()["recommended"]["artifact"] == held["artifact"]
    assert passed_on(read(tmp_path / "record")) == passed_on(record)
    assert recompute(tmp_path / "record").differences == ()


@pytest.mark.slow
def test_where_all_answer_otherwise_nothing_is_recommended_and_the_table_says_why(exported, tmp_path, capsys):
    elsewhere(exported, "cnn-int8.tflite")
    quick = ("--processes", "1", "--seconds", "0.01", "--output", str(tmp_path / "records"))
    assert call(["bench", str(exported / "cnn-int8.tflite"), *quick]) == 1
    out, err = capsys.readouterr()
    assert re.search(r"cnn-int8\.tflite .* not known here ", out)
    assert "1 thread): nothing to ship: all answer differently here than their goldens say" in out
    said = "cnn-int8.tflite answers differently here than its golden says, so it is not one to ship: 90 of 90 pred"
    assert said in " ".join(err.split())


def test_the_golden_is_asked_for_once_after_the_start_and_before_the_first_block(exported, tmp_path, monkeypatch):
    asked = []

    def ask(self, question, seconds=0.0):
        asked.append(question)
        return {**answer(question), **({"first_s": 0.5} if question["do"] == "open" else {})}, np.ones(2)

    monkeypatch.setattr(process.Process, "ask", ask)
    bench(select([exported / "cnn-int8.tflite"], warn=pytest.fail), tmp_path / "record", replace(QUICK, processes=2))
    done = [question["do"] for question in asked]
    assert done[:3] == ["open", CHECK, INVOKE]
    assert done.count(CHECK) == 1
    assert done.count("open") == 2
    assert asked[1]["images"] == opening.CHECK_S / 0.5  # of a slow one fewer images do


@pytest.mark.slow
def test_anybody_s_file_that_can_saturate_is_told_in_one_line(exported, tmp_path, capsys):
    (artifact,) = (a for a in manifest.read(exported).artifacts if a.path == "cnn-int8.onnx")
    foreign = Path(shutil.copyfile(exported / artifact.path, tmp_path / "foreign.onnx"))
    quick = ("--processes", "1", "--seconds", "0.01", "--output", str(tmp_path / "records"), "--json")
    assert call(["bench", str(foreign), *quick]) == 0
    assert json.loads(capsys.readouterr().out)["results"][0]["notes"] == []
    faults(artifact)["weights of 8 bits"](foreign)
    assert call(["bench", str(foreign), *quick]) == 0
    out, err = capsys.readouterr()
    (note,) = json.loads(out)["results"][0]["notes"]
    assert note.startswith("cnn_1/conv_1_1/BiasAdd, cnn_1/conv_2_1/BiasAdd, ")
    assert f"foreign.onnx: {note}" in " ".join(err.split())
    (record,) = (read(folder) for folder in sorted((tmp_path / "records").iterdir())[1:])
    assert record.results[0].notes == (note,)


@pytest.mark.slow
def test_a_golden_that_was_changed_holds_nothing(exported, tmp_path):
    elsewhere(exported, "cnn-int8.tflite", forged=False)
    record = bench(select([exported / "cnn-int8.tflite"], warn=pytest.fail), tmp_path / "record", QUICK)
    assert "golden.npz: changed since it was exported" in record.results[0].golden


def test_without_outputs_of_its_own_in_the_golden_there_is_nothing_to_hold(exported, tmp_path):
    found = golden.read(exported / "golden.npz")
    write_golden(exported, replace(found, recorded={}))
    record = bench(select([exported / "cnn-int8.tflite"], warn=pytest.fail), tmp_path / "record", QUICK)
    assert record.results[0].golden is None
