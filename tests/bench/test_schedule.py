"""The order of turns, and what a record has of them: real workers on the tiny artifacts."""

import json
import shutil
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from tests.bench.made_up import QUICK, answer, passed_on
from tests.bench.test_measure import Clock
from toolkit import host
from toolkit.bench import schedule
from toolkit.bench.advice import Requirements
from toolkit.bench.candidates import select
from toolkit.bench.measure import INVOKE
from toolkit.bench.plan import LEAST_TURNS, Plan
from toolkit.bench.record import make, new_folder, recompute
from toolkit.bench.schedule import bench
from toolkit.errors import ArtifactError, UsageError
from toolkit.worker import process


@pytest.mark.slow
def test_anybody_s_files_are_taken(exported, tmp_path):
    theirs = tmp_path / "theirs"
    theirs.mkdir()
    for name in ("cnn-int8.tflite", "cnn-float32.onnx"):
        (theirs / name).write_bytes((exported / name).read_bytes())
    record = bench(select([theirs], warn=pytest.fail), tmp_path / "record", QUICK)
    assert [result["speedup"] for result in record.to_json()["results"]] == [None, None]
    assert record.to_json()["recommended"] is None
    asked = replace(record, budgets=Requirements(max_latency_s=1.0))
    assert asked.to_json()["recommended"]["threads"] == 1


@pytest.mark.slow
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
    for number in (1, 4):
        (result,) = bench(candidates, tmp_path / str(number), replace(QUICK, batches=[number])).results
        assert result.batch == 1  # an inference is one, whatever its first size means
        assert result.figures()["images_per_s"] == 1 / result.figures()["end_to_end_median_s"]
    refused = bench(candidates, tmp_path / "other", replace(QUICK, batches=[3]))
    assert "fixed to (4, 3), (4,); a batch of 3 was asked for" in next(iter(refused.failures.values()))


@pytest.mark.slow
def test_a_record_holds_every_figure_and_the_raw_samples(exported, tmp_path):
    files = [exported / "cnn-float32.tflite", exported / "cnn-int8.tflite"]
    candidates = select(files, warn=pytest.fail)
    record = bench(candidates, tmp_path / "record", replace(QUICK, threads=[1, 2], processes=2, rate=100))
    document = json.loads((tmp_path / "record" / "record.json").read_text())
    assert document == passed_on(record)
    assert len(document["results"]) == 4
    required = {
        "artifact", "runtime", "threads", "batch", "n", "median_s", "median_ci95_s", "p90_s", "p95_s", "p99_s",
        "outliers", "load_s", "first_s", "cold_s", "end_to_end_median_s", "images_per_s", "peak_rss_bytes",
        "added_rss_bytes", "speedup", "speedup_ci95", "verdict", "warnings",
    }  # fmt: skip
    for result in document["results"]:
        assert required <= result.keys()
        low, high = result["median_ci95_s"]
        assert 0 < low <= result["median_s"] <= high
        assert result["peak_rss_bytes"] > 10_000_000
        with np.load(tmp_path / "record" / result["samples"]) as samples:
            assert len(samples["invoke_s"]) == samples["invoke_lengths"].sum() == result["n"]
            assert np.median(samples["invoke_s"]) == result["median_s"]
        assert len(result["processes"]) == 2
        assert result["blocks"] == 2 * LEAST_TURNS
        assert all(opened["cold_s"] > opened["load_s"] + opened["first_s"] > 0 for opened in result["processes"])
        assert result["images_per_s"] == 1 / result["end_to_end_median_s"]
        assert result["paced"]["n"] == 200
    assert recompute(tmp_path / "record").differences == ()
    pairs = [result.pairs for result in record.results if result.path.name == "cnn-int8.tflite" and result.threads == 1]
    assert [len(one.lengths) for one in pairs] == [4]  # two of each process
    baselines = [r for r in document["results"] if r["verdict"] == "baseline"]
    assert {Path(r["artifact"]).name for r in baselines} == {"cnn-float32.tflite"}
    assert {r["verdict"] for r in document["results"]} <= {"baseline", "faster", "slower", "indistinguishable"}
    assert document["recommended"]["artifact"] in {f"cnn/{c.path.name}" for c in candidates}


@pytest.mark.slow
def test_each_artifact_is_timed_beside_its_float32_original(exported, tmp_path):
    """Of six artifacts four have one; an artifact that cannot be opened beside it keeps its row."""
    candidates = select([exported], warn=pytest.fail)
    record = bench(candidates, tmp_path / "record", QUICK)
    paired = {result.path.name: result.pairs for result in record.results}
    assert {name: len(pairs.lengths) for name, pairs in paired.items() if pairs} == dict.fromkeys(
        ("cnn-float16.tflite", "cnn-dynamic.tflite", "cnn-int8.tflite", "cnn-int8.onnx"), 2
    )
    for result in record.results:
        if result.pairs:
            assert record.speedup(result) == result.pairs.speedup
            assert not any("separate processes" in warning for warning in record.warnings(result))
    assert recompute(tmp_path / "record").differences == ()


@pytest.mark.slow
def test_what_cannot_be_timed_beside_float32_says_so(exported, tmp_path, monkeypatch):
    def twice(*_, **__):
        raise ArtifactError("too little memory")

    monkeypatch.setattr("toolkit.bench.alternating.twice", twice)
    files = [exported / "cnn-float32.tflite", exported / "cnn-int8.tflite"]
    record = bench(select(files, warn=pytest.fail), tmp_path / "record", QUICK)
    float32, int8 = record.results
    assert (float32.notes, record.failures) == ((), {})
    assert int8.notes == ("not timed beside float32: too little memory",)
    assert record.speedup(int8) is not None
    assert record.warnings(int8)[-1].startswith("speed-up from blocks of separate processes")
    assert record.warnings(float32) == float32.warnings


@pytest.mark.slow
def test_every_batch_size_is_measured(exported, tmp_path):
    candidates = select([exported / "cnn-int8.onnx", exported / "cnn-int8.tflite"], warn=pytest.fail)
    record = bench(candidates, tmp_path / "record", replace(QUICK, batches=[1, 16]))
    assert record.failures == {}
    assert [result.batch for result in record.results] == [1, 16, 1, 16]


@pytest.mark.slow
def test_ctrl_c_keeps_what_was_measured(exported, tmp_path, monkeypatch):
    real = schedule._Benchmark._take_turns
    calls = []

    def interrupted(*arguments):
        calls.append(1)
        if len(calls) == 3:
            raise KeyboardInterrupt
        real(*arguments)

    monkeypatch.setattr(schedule._Benchmark, "_take_turns", interrupted)
    candidates = select([exported / "cnn-int8.tflite"], warn=pytest.fail)
    record = bench(candidates, tmp_path / "record", replace(QUICK, processes=5))
    assert record.interrupted
    assert len(record.results[0].opened) == 2
    assert json.loads((tmp_path / "record" / "record.json").read_text())["interrupted"] is True


@pytest.mark.slow
def test_a_changed_figure_or_sample_is_found(exported, tmp_path):
    folder = tmp_path / "record"
    bench(select([exported / "cnn-int8.tflite"], warn=pytest.fail), folder, QUICK)
    rebuilt = recompute(folder)
    assert rebuilt
    assert rebuilt.figures > 15
    document = json.loads((folder / "record.json").read_text())
    document["results"][0]["median_s"] *= 1.0001
    (folder / "record.json").write_text(json.dumps(document))
    assert "median_s is" in recompute(folder).differences[0]
    (folder / document["results"][0]["samples"]).write_bytes(b"cut")
    with pytest.raises(ArtifactError, match="cannot be read as the samples of a benchmark"):
        recompute(folder)
    with pytest.raises(ArtifactError, match="no such file"):
        recompute(tmp_path / "none")


@pytest.mark.slow
def test_turns_in_which_the_machine_changed_are_marked_and_left_in(exported, tmp_path, monkeypatch):
    clocks = iter([2.4e9, 2.4e9, 1.2e9] + [2.4e9] * 100)  # before all; before and after the first turn; the others
    steady = replace(host.read_state(), running=1, steal_s=None)
    monkeypatch.setattr(host, "read_state", lambda: replace(steady, clock_hz=next(clocks)))
    candidates = select([exported / "cnn-int8.tflite"], warn=pytest.fail)
    record = bench(candidates, tmp_path / "record", QUICK)
    assert record.marked == {"clock changed": 1}
    assert record.to_json()["results"][0]["blocks"] == LEAST_TURNS
    document = record.to_json()
    assert document["results"][0]["marks"] == [{"process": 0, "turn": 0, "reason": "clock changed"}]
    assert document["host"]["before"]["clock_hz"] == document["host"]["after"]["clock_hz"] == 2.4e9
    assert document["host"]["marked"] == record.marked
    assert recompute(tmp_path / "record").differences == ()


@pytest.mark.slow
def test_a_file_without_a_golden_gets_random_inputs_and_says_so(exported, tmp_path):
    alone = shutil.copy(exported / "cnn-int8.tflite", tmp_path)
    record = bench(select([Path(alone), exported / "cnn-int8.tflite"], warn=pytest.fail), tmp_path / "record", QUICK)
    said = ["random inputs" in " ".join(result.warnings) for result in record.results]
    assert said == [True, False]


def test_the_order_of_turns_is_seeded_and_random(exported, tmp_path, monkeypatch):
    asked = []

    def ask(self, question, seconds=0.0):
        asked.append(self.what)
        return answer(question), np.ones(2)

    monkeypatch.setattr(process.Process, "ask", ask)
    monkeypatch.setattr("toolkit.bench.beside.measure", lambda *_, **__: None)
    candidates = select([exported], warn=pytest.fail)[:3]
    orders = []
    for number, seed in enumerate((0, 0, 1)):
        asked.clear()
        bench(candidates, tmp_path / f"record{number}", replace(QUICK, seed=seed))
        orders.append(list(asked))
    assert orders[0] == orders[1] != orders[2]
    assert len(orders[0]) == 3 * 2 + 3 * 2 * LEAST_TURNS


def test_the_turns_of_a_process_are_some_time_apart(exported, tmp_path, monkeypatch):
    """One that takes longer than that is followed by the next at once."""
    clock, took_s, begun_s = Clock(), iter([0.0625, 0.5, 0.0625]), []

    def ask(self, question, seconds=0.0):
        if question["do"] == INVOKE:
            begun_s.append(clock.now / 1e9)
            clock.sleep(next(took_s))
        return answer(question), np.ones(2)

    monkeypatch.setattr(process.Process, "ask", ask)
    monkeypatch.setattr(schedule, "TURN_S", 0.25)
    timed = partial(schedule.turns_apart, clock=lambda: clock.now / 1e9, sleep=clock.sleep)
    monkeypatch.setattr(schedule, "turns_apart", timed)
    bench(select([exported / "cnn-int8.tflite"], warn=pytest.fail), tmp_path / "record", QUICK)
    assert begun_s == [0.0, 0.25, 0.75]
    assert clock.now == 0.8125e9  # nobody waits behind the last


def test_under_emulation_no_latency_is_given(exported, tmp_path, monkeypatch):
    real = host.describe()
    monkeypatch.setattr(host, "describe", lambda: replace(real, emulated=True))
    candidates = select([exported / "cnn-int8.tflite"], warn=pytest.fail)
    document = bench(candidates, tmp_path / "record", QUICK).to_json()
    (result,) = document["results"]
    assert result["median_s"] is None
    assert result["warnings"] == ["emulated: it ran once, and no latency is given"]
    assert (result["n"], result["paired"], len(document["failures"])) == (1, None, 0)
    assert document["recommended"] is None


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"threads": [0]}, "the number of threads is 0; it must be from 1 to 1,024"),
        ({"threads": []}, "name at least one number of threads, and one batch size"),
        ({"batches": [1, 0]}, "the batch size is 0; it must be from 1 to 65,536"),
        ({"seconds": 0}, "the number of seconds is 0; it must be from 0.001 to 3,600"),
        ({"seconds": float("nan")}, "the number of seconds is nan; it must be from 0.001 to 3,600"),
        ({"processes": 2**31}, "the number of processes is 2,147,483,648; it must be from 1 to 1,000"),
        ({"rate": 0}, "the rate, in images a second, is 0; it must be from 0.1 to 1,000,000"),
        ({"seed": -1}, "the seed is -1; it must be from 0 to 4,294,967,295"),
    ],
    ids=str,
)
def test_nonsense_is_refused_before_anything_is_written(wrong, says):
    with pytest.raises(UsageError, match=says):
        Plan(**wrong)


def test_two_records_of_one_second_do_not_share_a_folder(tmp_path):
    first = make(new_folder(tmp_path))
    assert make(first) == first.with_name(f"{first.name}-2")
