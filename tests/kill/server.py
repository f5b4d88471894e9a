"""Run a verb again and again in a process that has imported what is heavy, a fork each: python -m tests.kill.server.

Its arguments are modules to import. Requests and replies are JSON lines; see ``servers.Request``. It starts no thread,
so what it forks is whole.
"""

import atexit
import gc
import importlib
import json
import os
import signal
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any, NoReturn

from tests.kill.hook import Counter
from toolkit import cli, extras

# Seconds between two looks at a process, and until one counts as stuck.
LOOK_S, STUCK_S = 0.003, 600.0


def main(modules: list[str]) -> None:
    """Import, say so, and answer requests."""
    for name in modules:
        extras.load(name) if name.partition(".")[0] in extras.EXTRA_OF else importlib.import_module(name)
    gc.freeze()  # else each fork copies all of it, to count what refers to it
    _say({"ready": True})
    for line in sys.stdin:
        request = json.loads(line)
        source, target = os.pipe()
        start_s = time.monotonic()
        if not (pid := os.fork()):
            os.close(source)
            _verb(request, target)
        os.close(target)
        status = _wait(pid, request["after_s"])
        seconds = time.monotonic() - start_s
        with os.fdopen(source) as counted:
            _say({"status": status, "seconds": seconds, "writes": int(counted.read() or 0)})


def _say(message: dict[str, Any]) -> None:
    print(json.dumps(message), flush=True)


def _wait(pid: int, after_s: float | None) -> int:
    """Wait for a process, kill it after a time where that is asked for, and return how it ended."""
    start_s = time.monotonic()
    while True:
        ended, status = os.waitpid(pid, os.WNOHANG)
        if ended:
            return os.waitstatus_to_exitcode(status)
        passed_s = time.monotonic() - start_s
        if passed_s > STUCK_S:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
            raise TimeoutError(f"a verb did not end within {STUCK_S:g} s")
        if after_s is not None and passed_s >= after_s:
            os.kill(pid, signal.SIGKILL)
        time.sleep(LOOK_S)


def _verb(request: dict[str, Any], target: int) -> NoReturn:
    """Run the verb of a request, tell how much it has written, and end this process.

    It ends as Python does, but for the freeing of all that was imported: that takes most of a short verb's time, and a
    kill in there meets no write.
    """
    os.setsid()
    os.chdir(request["folder"])
    os.environ.update(request["environment"])
    tempfile.tempdir = None
    with Path(request["log"]).open("ab") as log, Path(os.devnull).open("rb") as nothing:
        os.dup2(nothing.fileno(), 0)
        os.dup2(log.fileno(), 1)
        os.dup2(log.fileno(), 2)
    counter = Counter(request["at"])
    code = _call(request["arguments"])
    threading._shutdown()  # type: ignore[attr-defined]
    atexit._run_exitfuncs()
    os.write(target, str(counter.count).encode())
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def _call(arguments: list[str]) -> int:
    """Run the command line, or a function of ``tests.kill.calls`` where that is named."""
    if arguments[0].startswith("tests."):
        module, _, name = arguments[0].rpartition(".")
        getattr(importlib.import_module(module), name)(*arguments[1:])
        return 0
    return cli.call(arguments)


if __name__ == "__main__":
    main(sys.argv[1:])
