"""Servers as processes of their own."""

import os
import re
import signal
import subprocess
import sys
import threading
from contextlib import contextmanager

from tests.conftest import SHIPPED

ARTIFACT = SHIPPED / "mlp-int8.tflite"
# Seconds that a server may take to open its artifact, and to end: machines that run tests are busy.
OPEN_S, END_S = 120.0, 20.0


@contextmanager
def served(*arguments, **variables):
    """Start a server of its own; yield the process and what it has printed by the time it answers."""
    command = [sys.executable, "-m", "toolkit", "serve", *map(str, arguments)]
    environment = {**os.environ, **variables}
    process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    last = threading.Timer(OPEN_S, process.kill)
    last.start()
    said = ""
    try:
        while not re.search(r"^open http|^}$", said, re.MULTILINE):
            line = process.stdout.readline()
            assert line, process.stderr.read()
            said += line
        last.cancel()
        yield process, said
    finally:
        last.cancel()
        process.send_signal(signal.SIGINT)
        try:
            process.communicate(timeout=END_S)
        finally:
            process.kill()
