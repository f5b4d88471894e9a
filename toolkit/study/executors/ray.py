"""Runs on the machines of a Ray cluster. A run's files come home after each epoch, so a lost machine costs no epoch."""

import queue
import signal
from collections.abc import Generator, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import islice
from math import inf
from pathlib import Path
from typing import Any

from toolkit import data, extras, locks
from toolkit.data.base import Dataset
from toolkit.errors import UsageError
from toolkit.files import write_bytes
from toolkit.runtimes.keras.loading import allowing
from toolkit.study import trials
from toolkit.study.executors.base import ENDED, EPOCH, STARTED, Event, Work
from toolkit.study.trials import Trial, TrialState, record_failure
from toolkit.training import device
from toolkit.training.checkpoint import STATE, Epoch

# How often a run is tried again whose machine or process was lost.
RETRIES = 3
# What happened to a run (started, epoch, ended), the epoch, and the files that its folder gained by it.
Parcel = tuple[str, Epoch | None, dict[str, bytes]]


@dataclass(frozen=True)
class Ray:
    """The cluster that this process is connected to. cpus, gpus: what each run asks for."""

    cpus: int
    gpus: float

    @property
    def jobs(self) -> int:
        """How many runs the cluster's nodes have room for at a time; a run is on one of them."""
        nodes = (node["Resources"] for node in extras.load("ray").nodes() if node["Alive"])
        return sum(self._room(there) for there in nodes)

    def _room(self, there: Mapping[str, float]) -> int:
        asked = {"CPU": self.cpus, "GPU": self.gpus}
        return min(int(there.get(kind, 0) / count) for kind, count in asked.items() if count)

    def __call__(self, due: Iterable[Trial], work: Work) -> Generator[Event, None, None]:
        """Carry out the runs, as many at a time as there is room for."""
        ray = extras.load("ray")
        dataset = ray.put(data.load(work.data, warn=lambda text: None, reading=work.reading))
        remote = ray.remote(_carry_out).options(num_cpus=self.cpus, num_gpus=self.gpus, max_retries=0)

        def submit(trial: Trial) -> Any:
            files = {path: (trial.folder / path).read_bytes() for path in _stamps(trial.folder)}
            return remote.remote(trial, dataset, work, threads=self.cpus, files=files)

        waiting = iter(due)
        running: dict[Any, Trial] = {}
        begun: set[Path] = set()
        lost: dict[Path, int] = {}
        try:
            while True:
                room = max(1, self.jobs) - len(running)
                running |= {submit(trial): trial for trial in islice(waiting, max(0, room))}
                if not running:
                    return
                (parcels,), _ = ray.wait(list(running), num_returns=1, fetch_local=False)
                trial = running[parcels]
                try:
                    kind, epoch, files = ray.get(next(parcels))
                except StopIteration:
                    del running[parcels]
                    continue
                except ray.exceptions.RayError as error:
                    del running[parcels]
                    if not isinstance(error, ray.exceptions.RayTaskError):  # its machine or process is gone
                        lost[trial.folder] = lost.get(trial.folder, 0) + 1
                        if lost[trial.folder] <= RETRIES:
                            running[submit(trial)] = trial
                            continue
                    record_failure(trial, TrialState.CRASHED, f"{type(error).__name__}: {error}".partition("\n")[0])
                    kind, epoch, files = ENDED, None, {}
                _unpack(trial.folder, files)
                if kind != STARTED or trial.folder not in begun:
                    yield Event(trial, kind, epoch)
                begun.add(trial.folder)
        finally:
            for parcels in running:
                ray.cancel(parcels, force=True)


def connect(address: str, *, cpus: int, gpus: float) -> Ray:
    """Return the cluster at an address: ``auto`` for the one of this machine, or ``HOST:PORT``.

    UsageError if there is none, or if it never has room for a run.
    """
    if cpus < 1 or not 0 <= gpus < inf:
        raise UsageError(f"a run cannot ask for {cpus} CPUs and {gpus:g} GPUs; allowed: at least 1, and at least 0")
    ray = extras.load("ray")
    on_sigterm = signal.getsignal(signal.SIGTERM)
    try:
        ray.init(address=address, log_to_driver=False, configure_logging=False)
    except (ConnectionError, ValueError) as error:
        raise UsageError(f"no Ray cluster answers at '{address}'; start one with: ray start --head") from error
    finally:
        if signal.getsignal(signal.SIGTERM) != on_sigterm:  # Ray's own ends this process, in its main thread
            signal.signal(signal.SIGTERM, on_sigterm)
    cluster = Ray(cpus, gpus)
    if not cluster.jobs:
        there = ray.cluster_resources()
        has = f"{there.get('CPU', 0):g} CPUs and {there.get('GPU', 0):g} GPUs"
        raise UsageError(f"the Ray cluster has {has}; a run asks one of its nodes for {cpus} and {gpus:g}")
    return cluster


def _carry_out(
    trial: Trial, dataset: Dataset, work: Work, *, threads: int, files: dict[str, bytes]
) -> Iterator[Parcel]:
    """Train a run on a machine of the cluster, from the files it has; yield what it gains with each epoch."""
    device.limit_threads(threads)
    parcels: queue.Queue[Parcel] = queue.Queue()
    with locks.scratch() as scratch:
        here = replace(trial, folder=scratch / trial.folder.name)
        _unpack(here.folder, files)
        sent = _stamps(here.folder)

        def changed() -> dict[str, bytes]:
            stamps = _stamps(here.folder)
            paths = [path for path, stamp in stamps.items() if sent.get(path) != stamp]
            sent.update(stamps)
            return {path: (here.folder / path).read_bytes() for path in paths}

        def on_epoch(epoch: Epoch) -> None:  # between two epochs, when the files fit one another
            parcels.put((EPOCH, epoch, changed()))

        def train() -> None:
            overlaps, lambdas = work.allow_overlap, work.unsafe_lambda
            try:
                with allowing(work.imports, unsafe_lambda=lambdas):  # of this thread
                    trials.perform(here, dataset, device=work.device, allow_overlap=overlaps, on_epoch=on_epoch)
            finally:
                parcels.put((ENDED, None, {}))

        with ThreadPoolExecutor(1) as pool:
            training = pool.submit(train)
            yield STARTED, None, {}
            while (parcel := parcels.get())[0] != ENDED:
                yield parcel
            training.result()
            yield ENDED, None, changed()
    device.release()


def _stamps(folder: Path) -> dict[str, tuple[int, int]]:
    """Return what tells whether a file changed, by path inside a folder."""
    files = {path: path.stat() for path in folder.rglob("*") if path.is_file() and path.name != locks.LOCK}
    return {str(path.relative_to(folder)): (status.st_mtime_ns, status.st_ino) for path, status in files.items()}


def _unpack(folder: Path, files: dict[str, bytes]) -> None:
    """Write the files, the state last: it names what the others must be."""
    for path in sorted(files, key=lambda path: path == STATE):
        write_bytes(folder / path, files[path])
