"""The parent's end of a worker: ask, wait no longer than a time, and know how it ended."""

import json
import os
import select
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from typing import IO, Any, cast

import numpy as np
from numpy.typing import NDArray

from toolkit.errors import ArtifactError, WorkerFailedError
from toolkit.host import process_memory_bytes

# Seconds that a worker may take longer than it was asked to measure: loading a large model, a slow inference.
PATIENCE_S = 120.0
# Seconds between two looks at a worker's memory, and that one may take to end when it was asked to.
LOOK_S, END_S = 0.2, 5.0
COMMAND = (sys.executable, "-m", "toolkit.bench.worker")


class Process:
    """One worker. what: the artifact and runtime, for errors. most_bytes: memory at which it is ended."""

    def __init__(self, what: str, *, most_bytes: int | None, clock: Callable[[], float] = time.monotonic) -> None:
        self._what = what
        self._most_bytes = most_bytes
        self._clock = clock
        self._stderr = tempfile.TemporaryFile()  # noqa: SIM115 — closed with the process
        self.spawned_ns = time.perf_counter_ns()
        # A session of its own: Ctrl-C ends the parent, which ends its workers when it has saved what there is.
        self._process = subprocess.Popen(
            COMMAND,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._stderr,
            start_new_session=True,
            bufsize=0,
        )
        self._questions, self._answers = cast("IO[bytes]", self._process.stdin), cast("IO[bytes]", self._process.stdout)

    @property
    def pid(self) -> int:
        """The process's number."""
        return self._process.pid

    def ask(self, question: dict[str, Any], *, seconds: float = 0.0) -> tuple[dict[str, Any], NDArray[np.float64]]:
        """Return the answer and its samples.

        Raises ArtifactError where the artifact cannot be measured, WorkerFailedError where the process dies, hangs or
        takes more memory than it may.
        """
        deadline = self._clock() + seconds + PATIENCE_S
        self._check_memory()  # an answer that comes at once is not looked at while it is awaited
        try:
            self._questions.write(json.dumps(question).encode() + b"\n")
        except OSError as error:
            raise WorkerFailedError(f"{self._what} {self._how_it_ended()}") from error
        content = b""
        while b"\n" not in content:
            content += self._read(deadline)
        header, _, content = content.partition(b"\n")
        answer: dict[str, Any] = json.loads(header)
        while len(content) < answer["bytes"]:
            content += self._read(deadline)
        if "error" in answer:
            raise ArtifactError(str(answer["error"]))
        return answer, np.frombuffer(content, np.float64)

    def close(self) -> None:
        """End the process, whatever it does: it is asked to, and made to where it does not."""
        self._process.terminate()
        try:
            self._process.wait(END_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        for stream in (self._questions, self._answers, self._stderr):
            stream.close()

    def _read(self, deadline: float) -> bytes:
        while not select.select([self._answers], [], [], LOOK_S)[0]:
            if self._clock() > deadline:
                raise self._end(f"did not answer for {PATIENCE_S:.0f} s")
            self._check_memory()
        content = os.read(self._answers.fileno(), 1 << 20)
        if not content:
            raise WorkerFailedError(f"{self._what} {self._how_it_ended()}")
        return content

    def _check_memory(self) -> None:
        used = self._rss_bytes()
        if self._most_bytes is not None and used > self._most_bytes:
            raise self._end(f"took {used:,} bytes of memory")

    def _rss_bytes(self) -> int:
        return process_memory_bytes("VmRSS", self._process.pid) or 0

    def _end(self, why: str) -> WorkerFailedError:
        """End the process at once: it would disturb what is measured next."""
        self._process.kill()
        return WorkerFailedError(f"{self._what} {why} and was ended")

    def _how_it_ended(self) -> str:
        code = self._process.wait()
        if code < 0:
            return f"was ended by {signal.Signals(-code).name}"
        self._stderr.seek(0)
        lines = self._stderr.read().decode(errors="replace").strip().splitlines()
        return f"failed: {lines[-1] if lines else 'no message'}"
