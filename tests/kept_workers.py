"""A worker that a test has done with, for the next one: few tests are about its start, which loads a runtime."""

import os
import sys
import tempfile
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

from toolkit.errors import ToolkitError
from toolkit.runtimes import REFERENCE_RUNTIME
from toolkit.runtimes.keras.loading import allowed
from toolkit.worker import session, tasks
from toolkit.worker.process import Process
from toolkit.worker.session import Workers

ROOT = Path(__file__).parents[1]
# A worker, where these tests can be imported too.
COMMAND = (
    sys.executable,
    "-c",
    f"import sys; sys.path.append({str(ROOT)!r}); from toolkit.worker.child import main; main()",
)
BEGIN = "begin"
# Two are often needed at a time, or in turn: with layers of one's own and without.
KEPT = 2
# What a worker is started and ended by otherwise.
START, CLOSE = session._start, Workers.close


def _begin(kept: dict[str, Any], content: bytes, *, folder: str) -> tasks.Answer:
    """Forget the last test, and stand where this one does."""
    kept.clear()
    os.chdir(folder)
    return {"folder": folder}, b""


def _open(kept: dict[str, Any], content: bytes, *, runtime: str, threads: int, **asked: Any) -> tasks.Answer:
    """Open an artifact, a Keras file with TensorFlow's own choice of threads: a process sets those once."""
    threads = 0 if runtime == REFERENCE_RUNTIME else threads
    return tasks.TASKS[tasks.OPEN](kept, content, runtime=runtime, threads=threads, **asked)


TASKS = {**tasks.TASKS, BEGIN: _begin, tasks.OPEN: _open}


class KeptWorkers:
    """Starts workers, and keeps the last that were done with."""

    def __init__(self) -> None:
        self._waiting: list[Process] = []  # the last one that was done with comes last
        self._kinds: WeakKeyDictionary[Process, object] = WeakKeyDictionary()

    def start(self) -> Process:
        """Return a worker: one that waits, if it was started as one would be now."""
        for waiting in reversed(self._waiting):
            if self._kinds[waiting] == _kind():
                self._waiting.remove(waiting)
                if _begins(waiting):
                    return waiting
                waiting.close()
                break
        before, tempfile.tempdir = tempfile.tempdir, None  # it may outlive the folder of whoever asks for it
        try:
            started = Process("", "tests.kept_workers", command=COMMAND, patience_s=session.PATIENCE_S)
        finally:
            tempfile.tempdir = before
        self._kinds[started] = _kind()
        return started

    def close(self, workers: Workers) -> None:
        """Keep a worker, unless it has failed, or whoever asked it was interrupted and has left an answer behind."""
        process = workers._process
        if process.failed or process not in self._kinds or not isinstance(sys.exc_info()[1], ToolkitError | None):
            process.close()
            return
        self._waiting.append(process)
        if len(self._waiting) > KEPT:
            self._waiting.pop(0).close()

    def end(self) -> None:
        """End the workers that wait."""
        while self._waiting:
            self._waiting.pop().close()


def _kind() -> object:
    """What a worker is started with."""
    variables = {name: value for name, value in os.environ.items() if name != "PYTEST_CURRENT_TEST"}
    return variables, allowed(), session.PATIENCE_S


def _begins(process: Process) -> bool:
    """Say whether it still lives, and answers."""
    folder = str(Path.cwd())
    try:
        answer, _ = process.ask({"do": BEGIN, "folder": folder})
    except ToolkitError:
        return False
    return answer == {"folder": folder}
