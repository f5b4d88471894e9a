"""What to measure, in which order: every configuration in several processes, which take turns in short blocks."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
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
    """Measure every candidate with every number of threads and batch size.

    In each round, one process of each is started, and these take turns in a seeded random order while the others wait.
    An artifact that does not run, or whose process dies, hangs or takes too much memory, becomes a failure of
    the record, and the others go on. Ctrl-C ends the measurement (``interrupted``); what was measured is kept.
    on_step: told where the benchmark stands while no block is measured. on_kept: called when the record on the disk has
    what a round of processes measured.
    """
    record = Record(
        make(folder),
        host.describe(),
        datetime.now(UTC).isoformat(timespec="seconds"),
        plan.seconds,
        runtimes.versions(),
        before=host.read_state(),
        budgets=plan.budgets,
        rate=plan.rate,
        seed=plan.seed,
    )
    record.save()
    configurations = [Configuration(c, t, b) for c in candidates for b in plan.batches for t in plan.threads]
    benchmark = _Benchmark(record, configurations, plan, on_step)
    try:
        for _ in range(benchmark.rounds):
            benchmark.measure_round()
            benchmark.keep()
            on_kept()
    except KeyboardInterrupt:
        record.interrupted = True
        benchmark.keep()
        on_kept()
    return record


class _Benchmark:
    """A benchmark while it goes on: what was measured of each configuration so far."""

    def __init__(
        self,
        record: Record,
        configurations: Sequence[Configuration],
        plan: Plan,
        on_step: Callable[[BenchProgress], None],
    ) -> None:
        emulated, paced = record.host.emulated, int(plan.rate is not None)
        self.rounds = 1 if emulated else plan.processes
        self._record, self._plan, self._emulated = record, plan, emulated
        self._measured = {one: Measured(one.sha256) for one in configurations}
        self._groups = {} if emulated else beside.groups(configurations)
        self._rng = np.random.default_rng(plan.seed)
        self._progress = BenchProgress(
            configurations,
            {START: 1, PAIR: 1} if emulated else {START: 1, TURN: plan.turns, PACE: paced, PAIR: 1},
            paired=frozenset(one for candidates in self._groups.values() for one in candidates),
            processes=self.rounds,
            expected_s={
                TURN: max(sum(BLOCK_S.values()), TURN_S / max(1, len(configurations))),
                PACE: PACED_S,
                PAIR: beside.EXPECTED_S + plan.seconds / self.rounds,
            },
            emulated=emulated,
            on_step=on_step,
        )

    def measure_round(self) -> None:
        """Start a process of each configuration that has not failed, one after the other, and let them take turns."""
        most_bytes = memory_share()  # before the first of them starts
        with ExitStack() as own:
            processes: dict[Configuration, Process] = {}
            for configuration, measured in self._measured.items():
                if measured.failure is None:
                    self._progress.starting(configuration)
                    what = f"{configuration.candidate.path}: {configuration.candidate.runtime}"
                    process = own.enter_context(closing(Process(what, TASKS, most_bytes=most_bytes)))
                    processes[configuration] = process
                    with self._failing(configuration):
                        self._open(configuration, process)
            if not self._emulated:
                self._take_turns(processes)
        beside.measure(
            self._groups, self._measured, self._progress, seconds=self._plan.seconds / self.rounds, rng=self._rng
        )

    def keep(self) -> None:
        """Bring the record and its raw samples to what has been measured so far, and save it."""
        record = self._record
        for one, measured in self._measured.items():
            measured.look_again(one)
        failures = {one: measured.failure for one, measured in self._measured.items() if measured.failure is not None}
        results = (
            measured.result(one, record.folder, place)
            for place, (one, measured) in enumerate(self._measured.items())
            if one not in failures
        )
        record.results = [result for result in results if result is not None]
        several = len({one.candidate.path for one in self._measured}) < len(self._measured)
        record.after = host.read_state()
        record.failures = {str(one if several else one.candidate.path): str(why) for one, why in failures.items()}
        record.crashed = any(isinstance(why, WorkerFailedError) for why in failures.values())
        record.save()

    def _open(self, configuration: Configuration, process: Process) -> None:
        measured = self._measured[configuration]
        opened = open_in(process, configuration, warm=not self._emulated)
        measured.begin(opened)
        if len(measured.opened) == 1:
            images = 1 if self._emulated else images_in_time(opened)
            measured.golden, measured.notes = check(process, configuration.candidate, images)
        if self._emulated:  # emulated time is no latency: the first inference stands for all there is to measure
            for kind in BLOCK_S:
                measured.add(kind, np.array([opened.first_s * 1e9]))
        self._progress.did(START, configuration)

    def _take_turns(self, processes: Mapping[Configuration, Process]) -> None:
        configurations = list(processes)
        for turn in turns_apart(self._plan.turns):
            for position in self._rng.permutation(len(configurations)):
                configuration = configurations[position]
                if self._measured[configuration].failure is None:
                    with self._failing(configuration):
                        self._take_turn(configuration, processes[configuration], turn)

    def _take_turn(self, configuration: Configuration, process: Process, turn: int) -> None:
        measured = self._measured[configuration]
        paced = self._plan.rate is not None and turn == 0
        blocks_s = {**BLOCK_S, PACED: PACED_S} if paced else BLOCK_S
        before = host.read_state()
        for kind, seconds in blocks_s.items():
            _, samples = process.ask({"do": kind, "rate": self._plan.rate, "seconds": seconds}, seconds=seconds)
            measured.add(kind, np.frombuffer(samples, np.float64))
        measured.mark(turn, conditions.changes(before, host.read_state(), seconds=sum(blocks_s.values())))
        self._progress.did(TURN, configuration, measured.blocks[-1][INVOKE][-1])
        if paced:
            self._progress.did(PACE, configuration)

    @contextmanager
    def _failing(self, configuration: Configuration) -> Iterator[None]:
        """Note a failure of one configuration, and let the others go on."""
        try:
            yield
        except ArtifactError as error:
            self._measured[configuration].failure = error
            self._progress.failed(configuration, str(error))


def turns_apart(
    count: int, *, clock: Callable[[], float] = time.monotonic, sleep: Callable[[float], None] = time.sleep
) -> Iterator[int]:
    """Yield the number of each turn, TURN_S after the one before began or as soon as that one is done."""
    due_s = clock()
    for turn in range(count):
        sleep(max(0.0, due_s - clock()))
        due_s = clock() + TURN_S
        yield turn
