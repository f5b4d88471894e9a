"""Real workers on the tiny artifacts, and files that do not run."""

import json
import os
import re
import shutil
import sys
from dataclasses import asdict, replace
from functools import partial
from importlib.util import find_spec
from itertools import count
from pathlib import Path

import numpy as np
import pytest

from tests.bench import made_up
from tests.bench.test_measure import Clock
from tests.elsewhere import elsewhere, write_golden
from toolkit import golden, manifest
from toolkit.bench import schedule
from toolkit.bench.advice import Budgets
from toolkit.bench.candidates import files, select
from toolkit.bench.measure import INVOKE
from toolkit.bench.record import read, recompute
from toolkit.bench.schedule import LEAST_TURNS, Plan, bench, new_folder
from toolkit.bench.tasks import CHECK
from toolkit.cli import call
from toolkit.errors import ArtifactError, MissingExtraError, UsageError
from toolkit.selftest.files import faults
from toolkit.worker import process
from toolkit.worker.process import COMMAND

# One process and the fewest blocks.
QUICK = Plan(seconds=0.01, processes=1)


def names(candidates):
    return [candidate.path.name for candidate in candidates]


def test_a_folder_stands_for_what_its_manifest_lists(exported):
    (exported / "stray.tflite").write_bytes(b"not listed")
    listed = [a.path for a in manifest.read(exported).artifacts]
    assert names(select([exported], warn=pytest.fail)) == listed
    assert names(select([exported.parent], warn=pytest.fail)) == listed
    assert names(select([exported / "cnn.keras"], warn=pytest.fail)) == ["cnn.keras"]


def test_a_keras_model_beside_other_files_is_not_measured(exported, tmp_path):
    theirs = tmp_path / "theirs"
    theirs.mkdir()
    shutil.copy(exported / "cnn.keras", theirs)
    assert [file.name for file in files(theirs)] == ["cnn.keras"]
    shutil.copy(exported / "cnn-int8.tflite", theirs)
    assert [file.name for file in files(theirs)] == ["cnn-int8.tflite"]


def test_anybody_s_files_are_taken(exported, tmp_path):
    theirs = tmp_path / "theirs"
    theirs.mkdir()
    for name in ("cnn-int8.tflite", "cnn-float32.onnx"):
        (theirs / name).write_bytes((exported / name).read_bytes())
    candidates = select([theirs], warn=pytest.fail)
    assert sorted(names(candidates)) == ["cnn-float32.onnx", "cnn-int8.tflite"]
    record = bench(candidates, tmp_path / "record", QUICK)
    assert [result["speedup"] for result in record.to_json()["results"]] == [None, None]
    assert record.to_json()["recommended"] is None
    asked = replace(record, budgets=Budgets(max_latency_s=1.0))
    assert asked.to_json()["recommended"]["threads"] == 1


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
    record = bench(candidates, tmp_path / "record", replace(QUICK, threads=[1, 2], processes=2, rate=100))
    document = json.loads((tmp_path / "record" / "record.json").read_text())
    assert document == record.to_json()
    assert len(document["results"]) == 8
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
    baselines = [r for r in document["results"] if r["verdict"] == "baseline"]
    assert {Path(r["artifact"]).name for r in baselines} == {"cnn-float32.tflite"}
    assert {r["verdict"] for r in document["results"]} <= {"baseline", "faster", "slower", "indistinguishable"}
    assert document["recommended"]["artifact"] in {str(c.path) for c in candidates}


@pytest.mark.slow
def test_batches_are_run(exported, tmp_path):
    candidates = select([exported / "cnn-int8.onnx", exported / "cnn-int8.tflite"], warn=pytest.fail)
    record = bench(candidates, tmp_path / "record", replace(QUICK, batches=[1, 16]))
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
    record = bench(candidates, tmp_path / "record", QUICK)
    assert list(record.failures) == [str(broken)]
    assert str(broken) in record.failures[str(broken)]
    assert len(record.results) == 1


def worker(tmp_path, monkeypatch, script, **of_the_script):
    """Let a shell script stand in for the worker of ``cnn-int8.onnx``, and the real one for the others."""
    fake = tmp_path / "worker.sh"
    fake.write_text(f"#!/bin/sh\n{script}\n")
    fake.chmod(0o755)
    real = process.Process.__init__

    def start(self, what, tasks, **options):
        scripted = "int8.onnx" in what
        monkeypatch.setattr(process, "COMMAND", (str(fake),) if scripted else COMMAND)
        real(self, what, tasks, **options, **(of_the_script if scripted else {}))

    monkeypatch.setattr(process.Process, "__init__", start)


OPENED = json.dumps(asdict(made_up.OPENED)).removesuffix("}")


def answer(question):
    """Return what a worker in which nothing is wrong answers."""
    return {"problem": None, "notes": []} if question["do"] == CHECK else asdict(made_up.OPENED)


DEATHS = {
    "kill -ILL $$": "was ended by SIGILL",
    "kill -SEGV $$": "was ended by SIGSEGV",
    "echo no such thing >&2; exit 3": "failed: no such thing",
    "exit 0": "failed: no message",
    "sleep 600": "did not answer for 120 s and was ended",
    f"read question; echo '{OPENED}, \"bytes\": 0}}'; read question; kill -KILL $$": "was ended by SIGKILL",
}


@pytest.mark.slow
@pytest.mark.parametrize(("script", "says"), DEATHS.items(), ids=DEATHS.values())
def test_a_worker_that_dies_or_hangs_is_named_and_the_others_go_on(exported, tmp_path, monkeypatch, script, says):
    # A minute passes with each look at the clock where patience is to end, and none does elsewhere.
    minutes = count(0, 60 if "did not answer" in says else 0)
    worker(tmp_path, monkeypatch, script, clock=minutes.__next__)
    candidates = select([exported / "cnn-int8.onnx", exported / "cnn-int8.tflite"], warn=pytest.fail)
    record = bench(candidates, tmp_path / "record", QUICK)
    assert says in record.failures[str(exported / "cnn-int8.onnx")]
    assert record.crashed
    assert [result.path.name for result in record.results] == ["cnn-int8.tflite"]
    if "did not answer" in says:
        assert next(minutes) == 240  # two minutes of patience, and the look at the third


@pytest.mark.slow
def test_a_crash_of_the_only_artifact_is_a_row_and_exit_code_1(exported, tmp_path, monkeypatch, capsys):
    worker(tmp_path, monkeypatch, "kill -SEGV $$")
    quick = ("--processes", "1", "--seconds", "0.01", "--output", str(tmp_path / "records"))
    assert call(["bench", str(exported / "cnn-int8.onnx"), *quick]) == 1
    out, err = capsys.readouterr()
    assert re.search(r"cnn-int8\.onnx .*failed", out)
    assert "was not measured: onnxruntime was ended by SIGSEGV" in err


def test_a_worker_that_does_not_end_when_it_is_asked_to_is_made_to(tmp_path, monkeypatch):
    monkeypatch.setattr(process, "END_S", 0.1)
    monkeypatch.setattr(
        process, "COMMAND", ("/bin/sh", "-c", "trap '' TERM; echo '{\"bytes\": 0}'; read more; read more")
    )
    stubborn = process.Process("stubborn", "tasks")
    stubborn.ask({"do": "open"})  # it is there, and has set its trap
    stubborn.close()
    with pytest.raises(ProcessLookupError):
        os.kill(stubborn.pid, 0)


@pytest.mark.slow
def test_a_worker_that_eats_memory_while_it_answers_at_once_is_ended(exported, tmp_path, monkeypatch):
    used = iter([0, 0, 10**12])
    monkeypatch.setattr(process.Process, "_rss_bytes", lambda self: next(used, 10**12))
    monkeypatch.setattr("toolkit.wire.LOOK_S", 60.0)  # so that nobody looks while an answer is awaited
    record = bench(select([exported / "cnn-int8.tflite"], warn=pytest.fail), tmp_path / "record", QUICK)
    assert "bytes of memory and was ended" in record.failures[str(exported / "cnn-int8.tflite")]


@pytest.mark.slow
def test_a_worker_that_eats_memory_is_ended(exported, tmp_path, monkeypatch):
    worker(tmp_path, monkeypatch, f"{sys.executable} -c 'x = bytearray(300_000_000); import time; time.sleep(600)'")
    monkeypatch.setattr(process, "available_memory_bytes", lambda: 250_000_000)
    monkeypatch.setattr(process.Process, "_rss_bytes", children_rss_bytes)
    candidates = select([exported / "cnn-int8.onnx", exported / "cnn-int8.tflite"], warn=pytest.fail)
    record = bench(candidates, tmp_path / "record", QUICK)
    assert "bytes of memory and was ended" in record.failures[str(exported / "cnn-int8.onnx")]
    assert len(record.results) == 1


def children_rss_bytes(self):
    """The script's own memory is that of the Python it has started."""
    children = Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text().split()
    pages = [int(Path(f"/proc/{child}/statm").read_text().split()[1]) for child in children]
    return sum(pages) * 4096


@pytest.mark.slow
def test_ctrl_c_keeps_what_was_measured(exported, tmp_path, monkeypatch):
    real = schedule._take_turns
    calls = []

    def interrupted(*arguments):
        calls.append(1)
        if len(calls) == 3:
            raise KeyboardInterrupt
        real(*arguments)

    monkeypatch.setattr(schedule, "_take_turns", interrupted)
    candidates = select([exported / "cnn-int8.tflite"], warn=pytest.fail)
    record = bench(candidates, tmp_path / "record", replace(QUICK, processes=5))
    assert record.interrupted
    assert len(record.results[0].opened) == 2
    assert json.loads((tmp_path / "record" / "record.json").read_text())["interrupted"] is True


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


def test_an_artifact_that_answers_otherwise_than_recorded_is_timed_and_never_recommended(exported, tmp_path):
    elsewhere(exported, "cnn-int8.tflite")
    candidates = select([exported / "cnn-int8.tflite", exported / "cnn-float32.tflite"], warn=pytest.fail)
    record = bench(candidates, tmp_path / "record", QUICK)
    otherwise, held = record.to_json()["results"]
    assert otherwise["golden"] == "90 of 90 predictions are not those of the machine that exported it"
    assert held["golden"] is None
    assert otherwise["median_s"] > 0
    assert record.to_json()["recommended"]["artifact"] == held["artifact"]
    assert read(tmp_path / "record").to_json() == record.to_json()
    assert recompute(tmp_path / "record").differences == ()


def test_where_all_answer_otherwise_nothing_is_recommended_and_the_table_says_why(exported, tmp_path, capsys):
    elsewhere(exported, "cnn-int8.tflite")
    quick = ("--processes", "1", "--seconds", "0.01", "--output", str(tmp_path / "records"))
    assert call(["bench", str(exported / "cnn-int8.tflite"), *quick]) == 1
    out, err = capsys.readouterr()
    assert re.search(r"cnn-int8\.tflite .* not known here ", out)
    assert "1 thread): nothing to ship: all answer otherwise here than where they were exported" in out
    said = "cnn-int8.tflite answers otherwise here than where it was exported, so it is not one to ship: 90 of 90 pred"
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
    assert asked[1]["images"] == schedule.CHECK_S / 0.5  # of a slow one fewer images do


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


def test_a_golden_that_was_changed_holds_nothing(exported, tmp_path):
    elsewhere(exported, "cnn-int8.tflite", forged=False)
    record = bench(select([exported / "cnn-int8.tflite"], warn=pytest.fail), tmp_path / "record", QUICK)
    assert "golden.npz: changed since it was exported" in record.results[0].golden


def test_without_outputs_of_its_own_in_the_golden_there_is_nothing_to_hold(exported, tmp_path):
    found = golden.read(exported / "golden.npz")
    write_golden(exported, replace(found, recorded={}))
    record = bench(select([exported / "cnn-int8.tflite"], warn=pytest.fail), tmp_path / "record", QUICK)
    assert record.results[0].golden is None


def test_turns_in_which_the_machine_changed_are_marked_and_left_in(exported, tmp_path, monkeypatch):
    clocks = iter([2.4e9, 2.4e9, 1.2e9] + [2.4e9] * 100)  # before all; before and after the first turn; the others
    real = schedule.host.read_state()
    steady = replace(real, running=1, steal_s=None)
    monkeypatch.setattr(schedule.host, "read_state", lambda: replace(steady, clock_hz=next(clocks)))
    candidates = select([exported / "cnn-int8.tflite"], warn=pytest.fail)
    record = bench(candidates, tmp_path / "record", QUICK)
    assert record.marked == {"clock changed": 1}
    assert record.to_json()["results"][0]["blocks"] == LEAST_TURNS
    document = record.to_json()
    assert document["results"][0]["marks"] == [{"process": 0, "turn": 0, "reason": "clock changed"}]
    assert document["host"]["before"]["clock_hz"] == document["host"]["after"]["clock_hz"] == 2.4e9
    assert document["host"]["marked"] == record.marked
    assert recompute(tmp_path / "record").differences == ()


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
    candidates = select([exported], warn=pytest.fail)
    orders = []
    for number, seed in enumerate((0, 0, 1)):
        asked.clear()
        bench(candidates, tmp_path / f"record{number}", replace(QUICK, seed=seed))
        orders.append(list(asked))
    assert orders[0] == orders[1] != orders[2]
    assert len(orders[0]) == 6 * 2 + 6 * 2 * LEAST_TURNS


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
    real = schedule.host.describe()
    monkeypatch.setattr(schedule.host, "describe", lambda: replace(real, emulated=True))
    candidates = select([exported / "cnn-int8.tflite"], warn=pytest.fail)
    document = bench(candidates, tmp_path / "record", QUICK).to_json()
    (result,) = document["results"]
    assert result["median_s"] is None
    assert "emulated" in result["warnings"][0]
    assert document["recommended"] is None


@pytest.mark.parametrize(
    "wrong", [{"threads": [0]}, {"batches": [0]}, {"seconds": 0}, {"threads": []}, {"processes": 0}, {"rate": 0}]
)
def test_nonsense_is_refused_before_anything_is_written(wrong):
    with pytest.raises(UsageError, match=r"at least 1|above 0"):
        Plan(**wrong)


def test_two_records_of_one_second_do_not_share_a_folder(tmp_path):
    first = new_folder(tmp_path)
    first.mkdir()
    assert new_folder(tmp_path) != first
