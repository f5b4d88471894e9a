"""What a device does in its environment: benchmark or verify, and tell of it.

All that it needs is imported at once: if that fails, ``provision`` treats the environment as damaged. It ends with the
connection: the thread that reads from it interrupts the work, and that ends its workers.
"""

import os
import shutil
import signal
import sys
import threading
import time
from pathlib import Path
from typing import Any

from toolkit import __version__
from toolkit.bench import candidates
from toolkit.bench.advice import Requirements
from toolkit.bench.plan import Plan
from toolkit.bench.progress import BenchProgress
from toolkit.bench.schedule import bench
from toolkit.errors import ToolkitError
from toolkit.parity.verify import VerifyOptions, verify_all
from toolkit.remote.answer import pack
from toolkit.step import Step
from toolkit.wire import MARK, SILENCE_S, Channel, pieces

RECORD_FOLDER = Path("benchmark")
# Seconds between two messages of how far a benchmark is.
TELL_S = 1.0
# Seconds that the work has to end by itself; workers end with their parent.
GRACE_S = 15.0


class Agent:
    """Does one piece of work for the other end of a channel."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self._kept = threading.Event()
        self._done = False
        self._lost = False
        self._told_s = 0.0

    def serve(self) -> None:
        """Tell of itself, then do what is asked and tell how it went."""
        self._channel.send({"toolkit": __version__})
        question, _ = self._channel.receive()
        while question["do"] == "alive":
            question, _ = self._channel.receive()
        threading.Thread(target=self._listen, daemon=True).start()
        kind = question.pop("do")
        try:
            answer = self._bench(**question) if kind == "bench" else self._verify(**question)
            self._done = True
        except ToolkitError as error:
            answer = {"event": "failed", "text": str(error)}
        except KeyboardInterrupt:
            answer = {"event": "stopped"}
        if not self._lost:
            self._channel.send(answer)

    def _bench(self, *, paths: list[str], plan: dict[str, Any]) -> dict[str, Any]:
        chosen = candidates.select([Path(path) for path in paths], warn=self._warn)
        budgets = Requirements(**plan.pop("budgets"))
        all_of_it = Plan(**plan, budgets=budgets)
        bench(chosen, RECORD_FOLDER, all_of_it, on_step=self._step, on_kept=self._send_record)
        return {"event": "done"}

    def _verify(self, *, paths: list[str]) -> dict[str, Any]:
        golden = VerifyOptions(by_golden=True)
        parity = verify_all([Path(path) for path in paths], golden, warn=self._warn, on_step=self._tell)
        return {"event": "done", "parity": pack(parity)}

    def _send_record(self) -> None:
        """Send the record, and wait until it is home: what measures next shall have the machine to itself."""
        if not self._lost:
            self._kept.clear()
            for path in sorted(RECORD_FOLDER.iterdir()):
                for content, first, _ in pieces(path):
                    self._channel.send({"event": "file", "name": path.name, "first": first}, content)
            self._channel.send({"event": "record"})
            self._kept.wait()

    def _step(self, progress: BenchProgress) -> None:
        if time.monotonic() - self._told_s > TELL_S:
            self._told_s = time.monotonic()
            self._tell(progress.step)

    def _tell(self, step: Step) -> None:
        self._channel.send({"event": "step", "done": step.done, "total": step.total, "text": step.text})

    def _warn(self, text: str) -> None:
        self._channel.send({"event": "warning", "text": text})

    def _listen(self) -> None:
        """Hear the other end, and interrupt the work when it says so or is gone."""
        try:
            while True:
                message, _ = self._channel.receive()
                if message["do"] == "kept":
                    self._kept.set()
                elif message["do"] == "stop":
                    self._interrupt()
        except ConnectionError:
            self._lost = True
            self._kept.set()
            self._interrupt()
            time.sleep(GRACE_S)
            shutil.rmtree(Path.cwd(), ignore_errors=True)
            os._exit(1)

    def _interrupt(self) -> None:
        with self._channel.writing:
            if self._done:
                return
            signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)


def main() -> None:
    """Serve the other end of stdin and stdout, and leave nothing in the folder that it was started in."""
    # What a runtime prints must not come between the messages.
    channel = Channel(0, os.dup(1), patience_s=SILENCE_S)
    os.write(1, MARK)
    os.dup2(2, 1)
    # Whoever started the SSH server may have let it ignore Ctrl-C, which is how the work is interrupted.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    folder = Path.cwd()
    try:
        Agent(channel).serve()
    except ConnectionError:
        sys.exit(1)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
