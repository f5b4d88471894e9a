"""Files and workers that fail in the middle of a benchmark: a row that says why, and the others go on."""

import json
import re
from dataclasses import asdict
from pathlib import Path

import pytest

from tests.bench import made_up
from tests.bench.made_up import QUICK
from toolkit.bench.candidates import select
from toolkit.bench.schedule import bench
from toolkit.cli import call
from toolkit.files import sha256
from toolkit.worker import process
from toolkit.worker.process import COMMAND


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("cnn-int8.tflite", b""),
        ("cnn-int8.onnx", b"nonsense"),
        *((name, None) for name in ("cnn-int8.tflite", "cnn-int8.onnx", "cnn.keras")),
    ],
)
def test_a_file_that_does_not_run_is_a_failure_and_the_others_go_on(exported, tmp_path, name, content):
    """What else each runtime says of a damaged file, the contract of runtimes has."""
    source = exported / name
    broken = tmp_path / f"broken{source.suffix}"
    broken.write_bytes(source.read_bytes()[:3000] if content is None else content)
    candidates = select([broken, exported / "cnn-int8.tflite"], warn=pytest.fail)
    record = bench(candidates, tmp_path / "record", QUICK)
    assert list(record.failures) == [str(broken)]
    assert str(broken) in record.failures[str(broken)]
    assert len(record.results) == 1


@pytest.mark.slow
@pytest.mark.parametrize("change", [Path.unlink, lambda path: path.with_name("cnn-float16.tflite").replace(path)])
def test_a_file_that_changes_while_it_is_measured_is_named_and_the_others_go_on(exported, tmp_path, change):
    stays, changes = paths = [exported / "cnn-float32.tflite", exported / "cnn-int8.tflite"]
    expected = sha256(stays)
    steps = []

    def on_step(progress):
        steps.append(progress)
        if len(steps) == 4:  # both have been opened, and take turns
            change(changes)

    record = bench(select(paths, warn=pytest.fail), tmp_path / "record", QUICK, on_step=on_step)
    said = f"{changes}: was replaced or changed while it was measured; measure it again"
    assert record.failures == {str(changes): said}
    assert [result.sha256 for result in record.results] == [expected]


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


@pytest.mark.slow
@pytest.mark.parametrize(
    ("script", "says"),
    [
        ("exit 0", "onnxruntime failed: no message"),
        (f"read question; echo '{OPENED}, \"bytes\": 0}}'; read question; kill -KILL $$", "was ended by SIGKILL"),
    ],
    ids=["at once", "after it was opened"],
)
def test_a_worker_that_dies_is_named_and_the_others_go_on(exported, tmp_path, monkeypatch, script, says):
    worker(tmp_path, monkeypatch, script)
    candidates = select([exported / "cnn-int8.onnx", exported / "cnn-int8.tflite"], warn=pytest.fail)
    record = bench(candidates, tmp_path / "record", QUICK)
    assert says in record.failures[str(exported / "cnn-int8.onnx")]
    assert record.crashed
    assert [result.path.name for result in record.results] == ["cnn-int8.tflite"]


def test_a_crash_of_the_only_artifact_is_a_row_and_exit_code_1(exported, tmp_path, monkeypatch, capsys):
    worker(tmp_path, monkeypatch, "kill -SEGV $$")
    quick = ("--processes", "1", "--seconds", "0.01", "--output", str(tmp_path / "records"))
    assert call(["bench", str(exported / "cnn-int8.onnx"), *quick]) == 1
    out, err = capsys.readouterr()
    assert re.search(r"cnn-int8\.onnx .*failed", out)
    assert "was not measured: onnxruntime was ended by SIGSEGV" in err


def test_all_workers_of_a_round_get_the_memory_that_was_free_before_the_first(exported, tmp_path, monkeypatch):
    free = iter([1_000_000])
    monkeypatch.setattr(process, "available_memory_bytes", free.__next__)
    candidates = select([exported / "cnn-int8.onnx", exported / "cnn-int8.tflite"], warn=pytest.fail)
    record = bench(candidates, tmp_path / "record", QUICK)
    assert len(record.failures) == 2
    assert all("bytes of memory and was ended" in said for said in record.failures.values())
