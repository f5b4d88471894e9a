"""Runs in processes of this machine, some at a time. A process lives for many runs: TensorFlow is imported once."""

import json
import os
import subprocess
import sys
from collections.abc import Generator, Iterable, Sized
from dataclasses import dataclass
from multiprocessing import Pipe
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import cast

from toolkit import units
from toolkit.study.executors.base import ENDED, STARTED, Event, Work
from toolkit.study.trials import Trial, TrialState, record_failure
from toolkit.text import signal_name

WORKER = "toolkit.study.worker"
# Each holds TensorFlow, about half a gigabyte.
MOST_JOBS = 64
# Runs of one process. TensorFlow keeps 10 to 15 MB of each (measured on 12 networks of the family tiny).
MOST_RUNS = 20


@dataclass(frozen=True)
class Processes:
    """``jobs`` processes that share the cores of this machine. log: the file that gets what they print."""

    jobs: int
    log: Path

    def __post_init__(self) -> None:
        units.require_from("the number of jobs", self.jobs, 1, MOST_JOBS)

    def __call__(self, trials: Iterable[Trial], work: Work) -> Generator[Event, None, None]:
        """Carry out the runs. A process that dies costs the run it was at; it is replaced, and so is one after many."""
        jobs = min(self.jobs, len(trials)) if isinstance(trials, Sized) else self.jobs
        threads = max(1, len(os.sched_getaffinity(0)) // jobs)  # so that all of them together fit the cores
        waiting = iter(trials)
        workers: list[_Worker] = []
        try:
            while True:
                busy = {one.connection: (one, one.trial) for one in workers if one.trial}
                if len(busy) < jobs and (trial := next(waiting, None)) is not None:
                    worker = next((one for one in workers if one.trial is None), None)
                    if worker and (worker.dead or worker.runs == MOST_RUNS):
                        worker.end()
                        workers.remove(worker)
                        worker = None
                    if worker is None:
                        workers.append(worker := _Worker(work, threads=threads, log=self.log))
                    worker.give(trial)
                    yield Event(trial, STARTED)
                    continue
                if not busy:
                    return
                for connection in cast("list[Connection]", wait(list(busy))):
                    worker, trial = busy[connection]
                    yield worker.hear(trial)
        finally:
            for worker in workers:
                worker.end()


class _Worker:
    """One process, and the run it is at."""

    def __init__(self, work: Work, *, threads: int, log: Path) -> None:
        self.trial: Trial | None = None
        self.dead = False
        self.runs = 0
        self.connection, worker_end = Pipe()
        self._log = log
        settings = json.dumps({**vars(work), "reading": work.reading.to_json(), "threads": threads})
        with log.open("ab") as sink:
            # Its standard input ends when this process does, however it ends. A session of its own: Ctrl-C is for the
            # parent, which ends its workers.
            self._process = subprocess.Popen(
                [sys.executable, "-m", WORKER, str(worker_end.fileno()), settings],
                stdin=subprocess.PIPE,
                stdout=sink,
                stderr=sink,
                pass_fds=(worker_end.fileno(),),
                start_new_session=True,
            )
        worker_end.close()

    def give(self, trial: Trial) -> None:
        """Let the process begin with a run."""
        self.trial = trial
        self.runs += 1
        try:
            self.connection.send(trial)
        except OSError:
            self.dead = True  # as hear() will find

    def hear(self, trial: Trial) -> Event:
        """Return the next thing that happened to the run; the end of the process is the end of the run."""
        try:
            event: Event = self.connection.recv()
        except (EOFError, OSError):
            self.dead = True
            record_failure(trial, TrialState.CRASHED, f"its process {self._how_it_ended()}; see {self._log}")
            event = Event(trial, ENDED)
        if event.kind == ENDED:
            self.trial = None
        return event

    def end(self) -> None:
        """End the process at once, whatever it does: every file of a run is whole at every instant."""
        self._process.kill()
        self._process.wait()
        self.connection.close()
        if self._process.stdin:
            self._process.stdin.close()

    def _how_it_ended(self) -> str:
        code = self._process.wait()
        return f"was ended by {signal_name(-code)}" if code < 0 else f"ended with exit code {code}"
