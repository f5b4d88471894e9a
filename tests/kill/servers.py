"""Folders to run verbs in, and the processes that run them there."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests import processes
from tests.kill.hook import VARIABLE

# Imported before a process is forked off: what verbs would import again and again.
LIGHT = ("numpy", "matplotlib.pyplot", "matplotlib.font_manager", "PIL.Image", "toolkit.bench.schedule")
HEAVY = (*LIGHT, "tensorflow", "keras", "onnx", "tf2onnx", "onnxruntime", "ai_edge_litert.interpreter", "mlxtend")
ROOT = Path(__file__).parents[2]
# Seconds that the processes of a killed verb may take to end, on a machine where all is slow.
END_S = 120.0


@dataclass(frozen=True)
class Box:
    """A folder for one call of a verb. here: where it is called; home, cache and tmp are its user's, and its alone."""

    folder: Path

    @property
    def here(self) -> Path:
        return self.folder / "here"

    @property
    def cache(self) -> Path:
        return self.folder / "cache"

    @property
    def tmp(self) -> Path:
        return self.folder / "tmp"

    @property
    def log(self) -> Path:
        return self.folder / "log"

    @property
    def environment(self) -> dict[str, str]:
        home = str(self.folder / "home")
        return {"HOME": home, "KERAS_HOME": home, "XDG_CACHE_HOME": str(self.cache), "TMPDIR": str(self.tmp)}

    def make(self) -> "Box":
        for folder in (self.here, self.cache, self.tmp, self.folder / "home"):
            folder.mkdir(parents=True, exist_ok=True)
        return self

    def processes(self) -> list[int]:
        """Return the processes that verbs have started here and that are still there."""
        return processes.with_variable("TMPDIR", str(self.tmp))

    def still(self) -> list[int]:
        """Wait until no process is left; return those that never end."""
        return processes.left_after(END_S, self.processes)


@dataclass(frozen=True)
class Ended:
    """How a call ended. code: negative where it was killed. writes: how many it made, 0 where it was killed."""

    code: int
    seconds: float
    writes: int

    @property
    def killed(self) -> bool:
        return self.code < 0


class Server:
    """One process that forks off the verbs, one at a time."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process

    def call(
        self,
        box: Box,
        arguments: Sequence[str],
        *,
        at: int | None = None,
        worker_at: int | None = None,
        after_s: float | None = None,
    ) -> Ended:
        """Run a verb to its end, or kill it at a write, of its own or of its worker's, or after a time."""
        environment = {**box.environment, **({} if worker_at is None else _startup(worker_at))}
        request = {"arguments": list(arguments), "folder": str(box.here), "log": str(box.log)}
        request |= {"environment": environment, "at": at, "after_s": after_s}
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        reply = json.loads(self._process.stdout.readline())
        return Ended(reply["status"], reply["seconds"], reply["writes"])


@contextmanager
def served(modules: Sequence[str], home: Path) -> Iterator[Server]:
    """Start a server, which has imported the modules. home: for what they write when they are imported."""
    own = {"HOME": str(home), "KERAS_HOME": str(home), "MPLCONFIGDIR": str(home / "matplotlib"), "MPLBACKEND": "agg"}
    command = [sys.executable, "-m", "tests.kill.server", *modules]
    with subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        encoding="utf-8",
        cwd=ROOT,
        env={**os.environ, **own, "PYTHONDONTWRITEBYTECODE": "1"},
    ) as process:
        process.stdout.readline()
        try:
            yield Server(process)
        finally:
            process.stdin.close()


def _startup(at: int) -> dict[str, str]:
    return {VARIABLE: str(at), "PYTHONPATH": f"{Path(__file__).with_name('startup')}{os.pathsep}{ROOT}"}
