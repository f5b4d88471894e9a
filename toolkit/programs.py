"""Other programs, which end with the call that runs them, as all does that they have started."""

import os
import signal
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

# Seconds in which a program may end by itself that was asked to.
END_S = 5.0


@dataclass(frozen=True)
class Ended:
    """How a program ended, and what it wrote. code: its exit code, None if it had to be ended."""

    code: int | None
    output: str
    errors: str


def run(command: Sequence[str], *, seconds: float | None = None, variables: Mapping[str, str] | None = None) -> Ended:
    """Run a program without input. seconds: how long it may take; variables: its environment, this process's own if
    None.
    """
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        # Files, not pipes: a process that it started and left behind would hold a pipe open.
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=out, stderr=err, env=variables, start_new_session=True
        )
        code: int | None = None
        try:
            with suppress(subprocess.TimeoutExpired):
                code = process.wait(seconds)
        finally:
            try:
                process.terminate()
                with suppress(subprocess.TimeoutExpired):
                    process.wait(END_S)
            finally:  # also after another Ctrl-C
                with suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                process.wait()
        texts = []
        for stream in (out, err):
            stream.seek(0)
            texts.append(stream.read().decode(errors="replace"))
        return Ended(code, *texts)


def wait_or_kill(process: subprocess.Popen[bytes], seconds: float) -> int:
    """Return the exit code of a process, which is killed if it does not end by itself within so many seconds."""
    try:
        return process.wait(seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        return process.wait()
