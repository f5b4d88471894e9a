"""What to measure, in which order: every configuration in several processes, which take turns in short blocks."""

import contextlib
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from toolkit import host, runtimes
from toolkit.bench import beside, conditions
from toolkit.bench.candidates import Candidate
from toolkit.bench.configuration import Configuration, Measured
from toolkit.bench.measure import INVOKE, PACED
from toolkit.bench.opening import TASKS, check, images_in_time, open_in
from toolkit.bench.plan import BLOCK_S, Plan
from toolkit.bench.progress import PACE, PAIR, START, TURN, BenchProgress
from toolkit.bench.record import Record, make
from toolkit.errors import ArtifactError, WorkerFailedError
from toolkit.worker.process import Process, memory_share

# Least seconds from one turn of a process to its next. What disturbs a shared machine still disturbs it a tenth of a
# second later (tests/benchmarks/disturbance.py), so blocks further apart tell more. Where several configurations take
# turns, they are that far apart anyway.
TURN_S = 0.15
# Seconds of a block at the pace of a camera.
PACED_S = 1.0


def bench(
    candidates: Sequence[Candidate],
    folder: Path,
    plan: Plan,
    *,
    on_step: Callable[[BenchProgress], None] = lambda progress: None,
    on_kept: Callable[[], None] = lambda: None,
) -> Record:
    """Measure every candidate with every number of threads and batch size, as ``measure`` does."""
    configurations = [Configuration(c, t, b) for c in candidates for b in plan.batches for t in plan.threads]
    return measure(configurations, folder, plan, on_step=on_step, on_kept=on_kept)


def measure(
    configurations: Sequence[Configuration],
    folder: Path,
    plan: Plan,
    *,
    on_step: Callable[[BenchProgress], None] = lambda progress: None,
    on_kept: Callable[[], None] = lambda: None,
) -> Record:
    """Measure configurations.

    In each round, one process of each is started, and these take turns in a seeded random order while the others wait.
    An artifact that does not run, or whose process dies, hangs or takes too much memory, becomes a failure of
    the record, and the others go on. Ctrl-C ends the measurement (``interrupted``); what was measured is kept.
    on_step: told where the benchmark stands while no block is measured. on_kept: called when the record on the disk has
    what a round of processes measured.
    """
    record = Record(
        make(folder),
        host.describe(),
        _now(),
        plan.seconds,
        runtimes.versions(),
        before=host.read_state(),
        budgets=plan.budgets,
        rate=plan.rate,
        seed=plan.seed,
    )
    record.save()
    rounds = 1 if record.host.emulated else plan.processes
    groups = {} if record.host.emulated else beside.groups(configurations)
    measured = {configuration: Measured() for configuration in configurations}
    failures: dict[Configuration, ArtifactError] = {}
    rng = np.random.default_rng(plan.seed)
    progress = _progress(configurations, groups, plan, rounds, emulated=record.host.emulated, on_step=on_step)
    try:
        for _ in range(rounds):
            with _opened(configurations, measured, failures, progress) as processes:
                if record.host.emulated:
                    _take_first(measured)
                else:
                    _take_turns(processes, plan, measured, failures, progress, rng)
            beside.measure(groups, measured, failures, progress, seconds=plan.seconds / rounds, rng=rng)
            _keep(record, configurations, measured, failures)
            on_kept()
    except KeyboardInterrupt:
        record.interrupted = True
        _keep(record, configurations, measured, failures)
        on_kept()
    return record


def _progress(
    configurations: Sequence[Configuration],
    groups: Mapping[Configuration, Sequence[Configuration]],
    plan: Plan,
    rounds: int,
    *,
    emulated: bool,
    on_step: Callable[[BenchProgress], None],
) -> BenchProgress:
    paced = plan.rate is not None
    return BenchProgress(
        configurations,
        {START: 1, PAIR: 1} if emulated else {START: 1, TURN: plan.turns, PACE: int(paced), PAIR: 1},
        paired=frozenset(one for candidates in groups.values() for one in candidates),
        processes=rounds,
        expected_s={
            TURN: max(sum(BLOCK_S.values()), TURN_S / max(1, len(configurations))),
            PACE: PACED_S,
            PAIR: beside.EXPECTED_S + plan.seconds / rounds,
        },
        emulated=emulated,
        on_step=on_step,
    )


def _take_first(measured: Mapping[Configuration, Measured]) -> None:
    """Take the first inference of each artifact for all there is to measure of it: emulated time is no latency."""
    for one in measured.values():
        for opened in one.opened:
            for kind in BLOCK_S:
                one.add(kind, np.array([opened.first_s * 1e9]))


def _keep(
    record: Record,
    configurations: Sequence[Configuration],
    measured: dict[Configuration, Measured],
    failures: dict[Configuration, ArtifactError],
) -> None:
    """Bring the record and its raw samples to what has been measured so far, and save it."""
    results = (measured[s].result(s, record.folder, i) for i, s in enumerate(configurations) if s not in failures)
    record.results = [result for result in results if result is not None]
    several = len({configuration.candidate.path for configuration in configurations}) < len(configurations)
    record.after = host.read_state()
    record.failures = {str(s if several else s.candidate.path): str(why) for s, why in failures.items()}
    record.crashed = any(isinstance(why, WorkerFailedError) for why in failures.values())
    record.save()


@contextlib.contextmanager
def _opened(
    configurations: Sequence[Configuration],
    measured: dict[Configuration, Measured],
    failures: dict[Configuration, ArtifactError],
    progress: BenchProgress,
) -> Iterator[dict[Configuration, Process]]:
    """Start a process of each configuration that has not failed, one after the other, and end them all in the end."""
    most_bytes = memory_share()  # before the first of them starts
    processes: dict[Configuration, Process] = {}
    try:
        for configuration in configurations:
            if configuration in failures:
                continue
            progress.starting(configuration)
            candidate = configuration.candidate
            processes[configuration] = process = Process(
                f"{candidate.path}: {candidate.runtime}", TASKS, most_bytes=most_bytes
            )
            with _failing(configuration, failures, progress):
                opened = open_in(process, configuration, warm=not progress.emulated)
                measured[configuration].begin(opened)
                if len(measured[configuration].opened) == 1:
                    images = 1 if progress.emulated else images_in_time(opened)
                    golden, notes = check(process, candidate, images)
                    measured[configuration].golden, measured[configuration].notes = golden, notes
                progress.did(START, configuration)
        yield processes
    finally:
        for process in processes.values():
            process.close()


def _take_turns(
    processes: dict[Configuration, Process],
    plan: Plan,
    measured: dict[Configuration, Measured],
    failures: dict[Configuration, ArtifactError],
    progress: BenchProgress,
    rng: np.random.Generator,
) -> None:
    configurations = list(processes)
    for turn in turns_apart(plan.turns):
        for position in rng.permutation(len(configurations)):
            configuration = configurations[position]
            if configuration in failures:
                continue
            with _failing(configuration, failures, progress):
                paced = plan.rate is not None and turn == 0
                blocks_s = {**BLOCK_S, PACED: PACED_S} if paced else BLOCK_S
                before = host.read_state()
                for kind, seconds in blocks_s.items():
                    question = {"do": kind, "rate": plan.rate, "seconds": seconds}
                    _, samples = processes[configuration].ask(question, seconds=seconds)
                    measured[configuration].add(kind, np.frombuffer(samples, np.float64))
                changed = conditions.changes(before, host.read_state(), seconds=sum(blocks_s.values()))
                measured[configuration].mark(turn, changed)
                progress.did(TURN, configuration, measured[configuration].blocks[-1][INVOKE][-1])
                if paced:
                    progress.did(PACE, configuration)


def turns_apart(
    count: int, *, clock: Callable[[], float] = time.monotonic, sleep: Callable[[float], None] = time.sleep
) -> Iterator[int]:
    """Yield the number of each turn, TURN_S after the one before began or as soon as that one is done."""
    due_s = clock()
    for turn in range(count):
        sleep(max(0.0, due_s - clock()))
        due_s = clock() + TURN_S
        yield turn


@contextlib.contextmanager
def _failing(
    configuration: Configuration, failures: dict[Configuration, ArtifactError], progress: BenchProgress
) -> Iterator[None]:
    """Note a failure of one configuration, and let the others go on."""
    try:
        yield
    except ArtifactError as error:
        failures[configuration] = error
        progress.failed(configuration, str(error))


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
