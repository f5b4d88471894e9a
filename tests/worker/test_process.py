"""The parent's end of a worker: shell scripts stand in for it."""

import os
import sys
import time
from itertools import chain, count, repeat

import pytest

from toolkit import programs
from toolkit.errors import ArtifactError, ToolkitWarning, WorkerFailedError
from toolkit.worker import process
from toolkit.worker.process import Process

OPEN = {"do": "open"}
ECHO = "while read question; do echo '{\"bytes\": 0}'; done"


@pytest.fixture
def worker(tmp_path, monkeypatch):
    """Start a script in place of a worker."""
    script, started = tmp_path / "worker.sh", []
    monkeypatch.setattr(process, "COMMAND", (str(script),))

    def start(body, **options):
        script.write_text(f"#!/bin/sh\n{body}\n")
        script.chmod(0o755)
        started.append(Process("m.onnx: onnxruntime", "tasks", **options))
        return started[-1]

    yield start
    for one in started:
        one.close()


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("kill -ILL $$", "was ended by SIGILL"),
        ("kill -SEGV $$", "was ended by SIGSEGV"),
        ("kill -35 $$", "was ended by signal 35"),
        ("echo no such thing >&2; exit 3", "failed: no such thing"),
        ("exit 0", "failed: no message"),
    ],
)
def test_how_a_worker_ended_is_told(worker, script, said):
    one = worker(script)
    with pytest.raises(WorkerFailedError, match=f"^m.onnx: onnxruntime {said}$"):
        one.ask(OPEN)
    assert one.failed


def test_of_what_a_worker_has_written_without_end_the_last_is_told(worker):
    one = worker(f"yes | tr -d '\\n' | head -c {2 * process.LAST_BYTES} >&2; exit 3")
    with pytest.raises(WorkerFailedError) as caught:
        one.ask(OPEN)
    assert len(str(caught.value)) == len("m.onnx: onnxruntime failed: ") + process.LAST_BYTES


def test_a_worker_that_dies_later_has_answered_before(worker):
    one = worker('read question; echo \'{"loaded": true, "bytes": 0}\'; read question; kill -KILL $$')
    assert one.ask(OPEN) == ({"loaded": True}, b"")
    with pytest.raises(WorkerFailedError, match="was ended by SIGKILL"):
        one.ask(OPEN)


def test_a_worker_that_says_no_is_asked_again(worker):
    one = worker('read question; echo \'{"error": "too large", "bytes": 0}\'; ' + ECHO)
    with pytest.raises(ArtifactError, match=r"^too large$"):
        one.ask(OPEN)
    assert not one.failed
    assert one.ask(OPEN) == ({}, b"")


def test_a_worker_that_hangs_is_ended_after_its_patience(worker):
    """A minute passes with each look at the clock."""
    minutes = count(0, 60)
    one = worker("exec sleep 600", clock=minutes.__next__)
    said = "^m.onnx: onnxruntime has not answered for 60 s, and is ended after 120 s; TOOLKIT_WORKER_SECONDS sets"
    with (
        pytest.raises(WorkerFailedError, match="did not answer for 120 s and was ended"),
        pytest.warns(ToolkitWarning, match=said) as told,
    ):
        one.ask(OPEN)
    assert len(told) == 1
    assert next(minutes) == 240  # two minutes of patience, and the look at the third


@pytest.mark.parametrize(
    ("patience_s", "seconds", "told"),
    [(60.0, 0.0, [20]), (600.0, 0.0, [100]), (60.0, 30.0, [50]), (19.0, 0.0, [])],
    ids=["after a third of a minute", "later if more is usual", "not while it is expected", "not if it ends anyway"],
)
def test_it_is_told_when_a_worker_takes_long(worker, recwarn, patience_s, seconds, told):
    one = worker("exec sleep 600", clock=count(0, 10).__next__, patience_s=patience_s)
    with pytest.raises(WorkerFailedError):
        one.ask(OPEN, seconds=seconds)
    ended = f"s, and is ended after {patience_s + seconds:.0f} s; TOOLKIT_WORKER_SECONDS sets another limit"
    assert [str(one.message) for one in recwarn] == [
        f"m.onnx: onnxruntime has not answered for {after_s + 10} {ended}" for after_s in told
    ]


def test_a_worker_that_does_not_even_read_is_ended_after_its_patience(worker):
    minutes = count(0, 60)
    one = worker("exec sleep 600", clock=minutes.__next__)
    with (
        pytest.raises(WorkerFailedError, match="did not answer for 120 s and was ended"),
        pytest.warns(ToolkitWarning, match="has not answered for 60 s"),
    ):
        one.ask(OPEN, bytes(1 << 20))


@pytest.mark.filterwarnings("ignore:m.onnx. onnxruntime has not answered for 60 s")
@pytest.mark.parametrize(
    ("waited_s", "ended_s"),
    [([10.0, 10.0, 70.0, 100.0], 240), (chain([0.0], repeat(1e9)), 660)],
    ids=["as long as it had no CPU", "five times as long at most"],
)
def test_the_time_in_which_a_worker_has_no_cpu_is_not_counted(worker, monkeypatch, waited_s, ended_s):
    told = iter(waited_s)  # by the system when it is asked, and at each look from then on
    monkeypatch.setattr(process, "process_waited_s", lambda pid: next(told))
    minutes = count(0, 60)
    one = worker("exec sleep 600", clock=minutes.__next__)
    with pytest.raises(WorkerFailedError, match="did not answer for 120 s and was ended"):
        one.ask(OPEN)
    assert next(minutes) == ended_s + 60


def test_what_a_worker_leaves_among_temporary_files_goes_with_it(worker, tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "tmp"))
    (tmp_path / "tmp").mkdir()
    one = worker('touch "$TMPDIR/left"; ' + ECHO)
    one.ask(OPEN)
    assert [path.name for path in (tmp_path / "tmp").rglob("*") if path.is_file() and path.suffix != ".lock"] == [
        "left"
    ]
    one.close()
    assert list((tmp_path / "tmp").iterdir()) == []


def test_a_worker_that_does_not_end_when_it_is_asked_to_is_made_to(worker, monkeypatch):
    monkeypatch.setattr(process, "END_S", 0.1)
    deaf = worker("trap '' TERM; echo '{\"bytes\": 0}'; read more; read more")
    deaf.ask(OPEN)
    deaf.close()
    with pytest.raises(ProcessLookupError):
        os.kill(deaf.pid, 0)


def test_a_worker_that_was_stopped_is_ended_at_once(worker):
    stopped = worker("echo '{\"bytes\": 0}'; kill -STOP $$; read more; read more")
    stopped.ask(OPEN)
    began_s = time.monotonic()
    stopped.close()
    assert time.monotonic() - began_s < programs.END_S
    with pytest.raises(ProcessLookupError):
        os.kill(stopped.pid, 0)


def test_a_worker_that_takes_too_much_memory_is_ended(worker):
    eat = f"exec {sys.executable} -S -c 'eaten = bytearray(300_000_000); import time; time.sleep(600)'"
    one = worker(eat, most_bytes=250_000_000)
    with pytest.raises(WorkerFailedError, match=r"took [23]\d\d,\d{3},\d{3} bytes of memory and was ended"):
        one.ask(OPEN)


def test_memory_is_looked_at_even_if_every_answer_comes_at_once(worker, monkeypatch):
    used = iter([0, 0, 10**12])
    monkeypatch.setattr(Process, "_rss_bytes", lambda self: next(used))
    monkeypatch.setattr("toolkit.wire.LOOK_S", 60.0)  # so that nobody looks while an answer is awaited
    one = worker(ECHO, clock=count().__next__)
    one.ask(OPEN)
    with pytest.raises(WorkerFailedError, match="bytes of memory and was ended"):
        one.ask(OPEN)


def test_quick_answers_cost_no_look_at_the_system_each(worker, monkeypatch):
    looks = []
    monkeypatch.setattr(Process, "_rss_bytes", lambda self: looks.append(self) or 0)
    monkeypatch.setattr(process, "process_waited_s", lambda pid: looks.append(pid) or 0.0)
    one = worker(ECHO, clock=lambda: 0.0)
    for _ in range(20):
        one.ask(OPEN)
    assert len(looks) == 3


def test_memory_is_looked_at_when_the_first_answer_has_come(worker, monkeypatch):
    """While a question is sent, the process may not have begun yet."""
    used = iter([0, 10**12])
    monkeypatch.setattr(Process, "_rss_bytes", lambda self: next(used))
    with pytest.raises(WorkerFailedError, match="bytes of memory and was ended"):
        worker(ECHO, clock=lambda: 0.0).ask(OPEN)
