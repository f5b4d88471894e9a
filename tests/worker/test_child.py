"""The worker's own end."""

import json
import signal
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from toolkit.errors import ArtifactError
from toolkit.worker import process

ROOT = Path(__file__).parents[2]


def test_a_worker_says_that_the_memory_does_not_suffice_and_ends_with_its_questions():
    command = [sys.executable, "-m", "toolkit.worker.child", "tests.worker.failing"]
    questions = b'{"do": "eat", "within": 60, "bytes": 0}\n' * 2
    done = subprocess.run(command, input=questions, cwd=ROOT, capture_output=True, check=True)
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert answers == [{"error": "the memory does not suffice for it", "bytes": 0}] * 2
    assert done.stderr == b""


def test_a_worker_answers_within_the_greatest_limits(monkeypatch):
    monkeypatch.setenv(process.PATIENCE_VARIABLE, str(process.MOST_SECONDS))
    monkeypatch.setenv(process.MEMORY_VARIABLE, str(process.MOST_BYTES))
    monkeypatch.chdir(ROOT)
    worker = process.Process("m.onnx", "tests.worker.failing")
    with closing(worker), pytest.raises(ArtifactError, match="the memory does not suffice for it"):
        worker.ask({"do": "eat"})


def test_a_worker_sends_no_answer_that_the_memory_does_not_suffice_for(monkeypatch):
    monkeypatch.chdir(ROOT)
    worker = process.Process("m.onnx", "tests.worker.failing")
    with (
        closing(worker),
        pytest.raises(ArtifactError, match="its answer needs 3,377,699,720,527,872 bytes of memory"),
    ):
        worker.ask({"do": "tell"})


def test_a_worker_without_a_parent_ends_itself():
    alone = "from toolkit.worker import child; child.ALONE_S = 0.1; child.main()"
    question = b'{"do": "loop", "within": 0.1, "bytes": 0}\n'
    done = subprocess.run(
        [sys.executable, "-c", alone, "tests.worker.failing"],
        input=question,
        cwd=ROOT,
        capture_output=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (-signal.SIGALRM, b"")
