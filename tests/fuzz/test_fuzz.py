"""The short form of ``make fuzz``: every kind of file that needs no TensorFlow, and what is said of a bad outcome."""

import gzip
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings

from tests.fuzz import __main__ as fuzzing
from tests.fuzz import changes, child
from tests.fuzz.target import Target
from tests.fuzz.targets import (
    archives,
    arrays,
    caches,
    datasets,
    documents,
    messages,
    models,
    pictures,
    requests,
    targets,
)
from toolkit.errors import ArtifactError

HERE = {**documents.TARGETS, **arrays.TARGETS, **datasets.TARGETS, **pictures.TARGETS, **archives.TARGETS}
HERE |= {**messages.TARGETS, **caches.TARGETS, **requests.TARGETS, "ONNX": models.TARGETS["ONNX"]}
INPUTS = 10


@pytest.mark.slow
@pytest.mark.parametrize("name", HERE)
def test_damaged_files_are_read_or_refused_in_one_line(name, tmp_path, monkeypatch):
    monkeypatch.setenv("TOOLKIT_WORKER_SECONDS", "5")
    monkeypatch.setenv("TOOLKIT_WORKER_BYTES", child.WORKER_BYTES)
    told = []
    child.run(name, INPUTS, 1, tmp_path / "work", told.append)
    assert len(told) == INPUTS + len(child.corpus(name))
    assert [one for one in told if "bad" in one] == []
    assert any(one["outcome"] == child.REFUSED for one in told)


def test_the_corpus_belongs_to_targets():
    assert {folder.name for folder in child.CORPUS.iterdir()} <= {child.slug(name) for name in targets()}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("damage", "content"),
    [
        (changes.as_bytes, bytes(range(100))),
        (changes.in_place, bytes(range(100))),
        (changes.as_json, b'{"a": [1, {"b": 2}]}'),
        (changes.as_zip, changes._packed({"a.json": b'{"a": 1}', "b.npy": b"\x93NUMPY"})),
        (changes.as_gzip, gzip.compress(b"inside", mtime=0)),
    ],
)
def test_the_same_seed_gives_the_same_damage(damage, content):
    def inputs():
        found = []
        few = settings(max_examples=9, database=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
        seed(3)(few(given(damage(content))(lambda changed: found.append(changed))))()
        return found

    first = inputs()
    assert first == inputs()
    assert len(set(first) - {content}) > 2


@pytest.mark.parametrize(
    ("problem", "outcome", "message"),
    [
        (None, {"outcome": "read"}, ""),
        (ArtifactError("x: damaged"), {"outcome": "refused"}, "x: damaged"),
        (ArtifactError("two\nlines"), {"bad": "more than a line"}, r"'two\nlines'"),
        (KeyError("sha256"), {"bad": "KeyError"}, "'sha256' (test_fuzz.py:"),
    ],
    ids=["read", "refused", "two lines", "other exception"],
)
def test_the_fuzzer_tells_what_becomes_of_an_input(problem, outcome, message, tmp_path):
    def read(folder):
        if problem is not None:
            raise problem

    told = child.outcome(Target(1, lambda folder: [], read), tmp_path)
    assert told.pop("message", "").startswith(message)
    assert told == outcome


def test_an_input_that_takes_too_much_memory_is_told(tmp_path, monkeypatch):
    taken = iter([1 << 30, 3 << 30])
    monkeypatch.setattr(child, "process_memory_bytes", lambda field: next(taken))
    assert child.outcome(Target(1, lambda folder: [], lambda folder: None), tmp_path)["bad"] == "memory"


@pytest.mark.parametrize(
    ("program", "what"),
    [
        ("import os; os.kill(os.getpid(), 11)", "died: exit code -11"),
        ("import time; time.sleep(1000)", "hung: no answer for 1 s"),
        ("raise SystemExit('why')", "died: exit code 1: why"),
    ],
)
def test_a_process_that_dies_or_hangs_is_counted_and_its_input_kept(program, what, tmp_path, monkeypatch):
    prepare = "import sys, pathlib; p = pathlib.Path(sys.argv[-1]); p.mkdir(); (p / 'input.x').write_bytes(b'it')"
    monkeypatch.setattr(fuzzing, "COMMAND", (sys.executable, "-c", f"{prepare}; {program}"))
    monkeypatch.setattr(fuzzing, "SILENCE_S", 1.0 if "sleep" in program else 300.0)
    monkeypatch.setattr(fuzzing, "KEPT", tmp_path / "kept")
    tally = fuzzing.fuzz("bench", 1, 0)
    ((said, kept),) = tally.failures
    assert (said.startswith(what), tally.inputs) == (True, 1)
    if "sleep" not in program:  # which may be ended before it has written one
        assert Path(kept).read_bytes() == b"it"
    assert "| bench | 1 | 0 | 0 | 1 |" in fuzzing.table([tally])
