"""Run a verb again and again in a process that has imported what is heavy, a fork each: python -m tests.kill.server.

Its arguments are modules to import. Requests and replies are JSON lines; see ``servers.Request``. It starts no thread,
so what it forks is whole.
"""

import importlib
import json
import os
import signal
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from tests.kill.hook import Counter
from toolkit import cli, extras

# Seconds between two looks at a process, and until one counts as stuck.
LOOK_S, STUCK_S = 0.003, 600.0


def main(modules: list[str]) -> int | None:
    """Import, say so, and answer requests; the forked process returns the exit code of its verb."""
    for name in modules:
        extras.load(name) if name.partition(".")[0] in extras.EXTRA_OF else importlib.import_module(name)
    _say({"ready": True})
    for line in sys.stdin:
        request = json.loads(line)
        source, target = os.pipe()
        start_s = time.monotonic()
        if not (pid := os.fork()):
            os.close(source)
            return _verb(request, target)
        os.close(target)
        status = _wait(pid, request["after_s"])
        seconds = time.monotonic() - start_s
        with os.fdopen(source) as counted:
            _say({"status": status, "seconds": seconds, "writes": int(counted.read() or 0)})
    return None


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


def _verb(request: dict[str, Any], target: int) -> int:
    """Run the verb of a request in this process; tell how much it has written where it comes to its end."""
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
    os.write(target, str(counter.count).encode())
    return code


def _call(arguments: list[str]) -> int:
    """Run the command line, or a function of ``tests.kill.calls`` where that is named."""
    if arguments[0].startswith("tests."):
        module, _, name = arguments[0].rpartition(".")
        getattr(importlib.import_module(module), name)(*arguments[1:])
        return 0
    return cli.call(arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
