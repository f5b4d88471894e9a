"""The parent's end of a worker: ask, wait no longer than a time, and know how it ended."""

import math
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from typing import IO, Any, cast

from toolkit import locks
from toolkit.errors import ArtifactError, UsageError, WorkerFailedError, warn
from toolkit.host import available_memory_bytes, process_memory_bytes, process_waited_s
from toolkit.programs import END_S, wait_or_kill
from toolkit.runtimes.keras.loading import allowed
from toolkit.text import signal_name
from toolkit.wire import LOOK_S, Channel
from toolkit.worker.child import LONGEST_BYTES, WITHIN, arguments

# Seconds that a worker may take longer than what it was asked for should: loading a large model, a slow inference.
PATIENCE_S = 120.0
# How many times as long a worker is waited for at most if others have the CPUs meanwhile.
STARVED = 4.0
# Share of the patience after which it is told that a worker takes long, and the least seconds that are worth a word.
TOLD_SHARE, TOLD_S = 1 / 6, 20.0
# Share of the memory that is free when a worker starts which it may take.
MEMORY_SHARE = 0.8
# Bytes of what a worker has written to stderr that are read if it fails, from the end.
LAST_BYTES = 1 << 16
# What sets other limits: seconds, and bytes.
PATIENCE_VARIABLE, MEMORY_VARIABLE = "TOOLKIT_WORKER_SECONDS", "TOOLKIT_WORKER_BYTES"
# The greatest of these limits: 30 years, which a timer still takes, and a petabyte.
MOST_SECONDS, MOST_BYTES = 1e9, 1e15
COMMAND = (sys.executable, "-m", "toolkit.worker.child")


class Process:
    """One worker. what: the artifact and runtime, for errors. tasks: the module whose TASKS it carries out. command:
    what starts it; COMMAND unless told.

    failed: whether it died or had to be ended; such a one answers nothing more. Model files may run the same code in it
    as here (``toolkit.runtimes.keras.loading.allowing``).
    most_bytes: memory at which it is ended; a share of what is free unless told. patience_s: as PATIENCE_S. Both can be
    set by the variables above.
    """

    def __init__(
        self,
        what: str,
        tasks: str,
        *,
        command: Sequence[str] | None = None,
        most_bytes: int | None = None,
        patience_s: float = PATIENCE_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.what = what
        self._most_bytes = int(limit(MEMORY_VARIABLE, MOST_BYTES) or 0) or most_bytes or memory_share()
        self._asked_s, self._patience_s = limit(PATIENCE_VARIABLE, MOST_SECONDS), patience_s
        self._clock = clock
        self._asked_at_s, self._waits_s, self._told_s, self._looked_s = 0.0, 0.0, 0.0, -math.inf
        self._waited_before_s: float | None = None
        self.failed = self._has_answered = False
        self._own = ExitStack()  # closed with the process
        self._stderr = self._own.enter_context(tempfile.TemporaryFile())  # noqa: SIM115
        # What TensorFlow writes there it removes when it ends by itself, which a worker does not.
        variables = {**os.environ, "TMPDIR": str(self._own.enter_context(locks.scratch()))}
        self.spawned_ns = time.perf_counter_ns()
        code = allowed()
        # A session of its own: Ctrl-C ends the parent, which ends its workers when it has saved what there is.
        self._process = subprocess.Popen(
            [*(command or COMMAND), tasks, *arguments(code.files, unsafe_lambda=code.unsafe_lambda)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._stderr,
            env=variables,
            start_new_session=True,
            bufsize=0,
        )
        self._pipes = tuple(cast("IO[bytes]", pipe) for pipe in (self._process.stdout, self._process.stdin))
        source, target = (pipe.fileno() for pipe in self._pipes)
        self._channel = Channel(source, target, look=self._look, longest_bytes=LONGEST_BYTES)

    @property
    def pid(self) -> int:
        """The process's number."""
        return self._process.pid

    def ask(
        self,
        question: dict[str, Any],
        content: bytes = b"",
        *,
        seconds: float = 0.0,
        patience_s: float | None = None,
    ) -> tuple[dict[str, Any], bytes]:
        """Return the answer and the bytes behind it. seconds: how long it should take. patience_s: for this question.

        Raises ArtifactError if the worker says that it cannot be done, WorkerFailedError if it dies, hangs or
        takes more memory than it may.
        """
        patience_s = self._asked_s or patience_s or self._patience_s
        self._waits_s = seconds + patience_s
        self._told_s = seconds + max(TOLD_S, TOLD_SHARE * patience_s)
        self._asked_at_s = self._clock()
        self._waited_before_s = None
        try:
            self._channel.send({**question, WITHIN: (1 + STARVED) * self._waits_s}, content)
            answer, content = self._channel.receive()
            if not self._has_answered:  # it may have been too quick to be looked at
                self._check_memory()
                self._has_answered = True
        except OSError as error:  # a ConnectionError among them: the process has ended
            self.failed = True
            raise WorkerFailedError(f"{self.what} {self._how_it_ended()}") from error
        if "error" in answer:
            raise ArtifactError(str(answer["error"]))
        return answer, content

    def close(self) -> None:
        """End the process, whatever it does, also where it was stopped: it is asked to, and made to if it does not."""
        self._process.terminate()
        self._process.send_signal(signal.SIGCONT)  # what is stopped ends only once it goes on
        wait_or_kill(self._process, END_S)
        for stream in self._pipes:
            stream.close()
        self._own.close()

    def _look(self) -> None:
        """Look at the worker while its answer is awaited, at most once in LOOK_S."""
        now_s = self._clock()
        if now_s - self._looked_s < LOOK_S:
            return
        self._looked_s = now_s
        if self._waited_before_s is None:
            self._waited_before_s = process_waited_s(self.pid)
        took_s = now_s - self._asked_at_s
        if took_s > min(self._told_s, self._waits_s):
            self._judge(took_s - self._starved_s(self._waited_before_s))
        self._check_memory()

    def _judge(self, took_s: float) -> None:
        """Tell once that a question takes long, and end what takes too long. took_s: without what others took."""
        if took_s > self._waits_s:
            raise self._end(f"did not answer for {self._waits_s:.0f} s")
        if took_s > self._told_s:
            self._told_s = math.inf
            ended = f"ended after {self._waits_s:.0f} s; {PATIENCE_VARIABLE} sets another limit"
            warn(f"{self.what} has not answered for {took_s:.0f} s, and is {ended}")

    def _check_memory(self) -> None:
        used = self._rss_bytes()
        if self._most_bytes is not None and used > self._most_bytes:
            raise self._end(f"took {used:,} bytes of memory")

    def _starved_s(self, before_s: float) -> float:
        """Return the seconds of the question in which the worker had no CPU: they say nothing about the model."""
        return min(process_waited_s(self.pid) - before_s, STARVED * self._waits_s)

    def _rss_bytes(self) -> int:
        return process_memory_bytes("VmRSS", self._process.pid) or 0

    def _end(self, why: str) -> WorkerFailedError:
        """End the process at once: it would disturb what is measured next."""
        self.failed = True
        self._process.kill()
        return WorkerFailedError(f"{self.what} {why} and was ended")

    def _how_it_ended(self) -> str:
        code = wait_or_kill(self._process, END_S)  # it may live, and say what is no answer
        if code < 0:
            return f"was ended by {signal_name(-code)}"
        written = self._stderr.seek(0, os.SEEK_END)
        self._stderr.seek(max(0, written - LAST_BYTES))
        lines = self._stderr.read().decode(errors="replace").strip().splitlines()
        return f"failed: {lines[-1] if lines else 'no message'}"


def memory_share() -> int | None:
    """Return the memory that a worker may take that starts now, None if the system does not tell what is free."""
    free = available_memory_bytes()
    return None if free is None else int(free * MEMORY_SHARE)


def limit(variable: str, most: float) -> float | None:
    """Return the limit that a variable sets; UsageError if it is no number above 0, or above ``most``."""
    text = os.environ.get(variable)
    if not text:
        return None
    try:
        number = float(text)
    except ValueError:
        number = 0.0
    if not 0 < number <= most:
        raise UsageError(f"{variable} is '{text}'; it must be a number above 0, and at most {most:g}")
    return number
