"""Artifacts side by side: opened in one process where one runtime runs them all, timed in blocks that alternate."""

import os
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass

import numpy as np

from toolkit.bench.configuration import Configuration
from toolkit.bench.measure import INVOKE
from toolkit.bench.pair_tasks import ANSWER, MOST_AGAIN_S, OPEN, REST_S, TAKE
from toolkit.bench.plan import Plan
from toolkit.bench.statistics import Samples
from toolkit.manifest import TensorSpec
from toolkit.step import OnStep, Step
from toolkit.worker.process import Process, memory_share

TASKS = "toolkit.bench.pair_tasks"
# Processes of a round: the second opens the sides in the reverse order of the first.
PROCESSES = 2
# Seconds of a block, as the geometric mean over the sides: all blocks have the same number of inferences. Short, so
# that what disturbs one block of a pair disturbs the other; long beside what reading the clock takes.
BLOCK_S = 0.001
# Seconds that each side runs before its first block, and fewest blocks of each.
WARM_S = 0.03
LEAST_BLOCKS = 5
# Bytes up to which each side's memory is moved, at random: where it lies decides about some percent.
MOST_PADDING = 1 << 16


@dataclass(frozen=True, eq=False)
class Alternated:
    """What one process measured: seconds an inference, (turns, sides).

    inputs, remarks: of each side, what it takes, and how it was opened if not as its runtime would by itself.
    """

    blocks_s: Samples
    inputs: tuple[tuple[TensorSpec, ...], ...]
    remarks: tuple[str | None, ...]

    def pairs(self, reference: int, candidate: int) -> Samples:
        """Return the blocks of two sides, (turns, 2)."""
        return self.blocks_s[:, [reference, candidate]]


def in_rounds(
    sides: Sequence[Configuration], plan: Plan, *, on_step: OnStep, doing: str = "", kind: str = INVOKE
) -> list[Alternated]:
    """Return what the processes of all rounds measured, of which there are as many as ``plan`` has processes.

    doing: what stands before the number of the round, in words. kind: as of ``alternate``.
    """
    rng = np.random.default_rng(plan.seed)
    processes: list[Alternated] = []
    for done in range(plan.processes):
        on_step(Step(done, plan.processes, f"{doing}round {done + 1}"))
        processes += twice(sides, seconds=plan.seconds / plan.processes / PROCESSES, rng=rng, kind=kind)
    return processes


def twice(
    sides: Sequence[Configuration],
    *,
    seconds: float,
    rng: np.random.Generator,
    shares: Sequence[float] = (),
    kind: str = INVOKE,
) -> list[Alternated]:
    """Return what two processes measured, of which the second opens the sides in the reverse order of the first.

    seconds: of measuring each side in each process. shares, kind: as of ``alternate``.
    """
    order = [int(place) for place in rng.permutation(len(sides))]
    return [
        alternate(sides, opening=opening, seconds=seconds, rng=rng, shares=shares, kind=kind)
        for opening in (order, order[::-1])
    ]


def alternate(
    sides: Sequence[Configuration],
    *,
    opening: Sequence[int],
    seconds: float,
    rng: np.random.Generator,
    shares: Sequence[float] = (),
    kind: str = INVOKE,
) -> Alternated:
    """Return what one process measured; several runtimes have one each, on one core.

    In each turn a block of each side is timed, in random order, each behind a lead-in of its own. opening: the sides in
    the order in which they are opened. shares: of busy work behind the inferences of each side, a known slow-down.
    kind: what is timed, INVOKE or END_TO_END.
    Raises ArtifactError if a side cannot be opened, or the process dies or hangs.
    """
    every = range(len(sides))
    several = len({side.candidate.runtime for side in sides}) > 1
    core = int(rng.choice(sorted(os.sched_getaffinity(0)))) if several else None
    with closing(SideWorkers(sides, core, kind)) as workers:
        for place in opening:
            share = shares[place] if shares else 0.0
            workers.open(place, share=share, padding=int(rng.integers(MOST_PADDING)))
        typical_ns = np.array([workers.typical_ns[place] for place in every])
        count = max(1, round(BLOCK_S * 1e9 / float(np.exp(np.log(typical_ns).mean()))))
        turns = max(LEAST_BLOCKS, round(seconds * 1e9 / (count * float(typical_ns.mean()))))
        order = rng.permuted(np.tile(np.arange(len(sides)), (turns, 1)), axis=1)
        blocks = np.empty(order.shape)
        np.put_along_axis(blocks, order, workers.take(order.ravel().tolist(), count).reshape(order.shape), axis=1)
        inputs = tuple(workers.inputs[place] for place in every)
        remarks = tuple(workers.remarks[place] for place in every)
    return Alternated(blocks / 1e9, inputs, remarks)


class SideWorkers:
    """The workers that hold the sides: one for all that one runtime runs, several on one core.

    typical_ns: what an inference of each side takes. inputs, remarks: as in ``Alternated``.
    """

    def __init__(self, sides: Sequence[Configuration], core: int | None, kind: str) -> None:
        self._sides, self._core, self._kind = sides, core, kind
        most_bytes = memory_share()
        names = dict.fromkeys(side.candidate.runtime for side in sides)
        self._processes = {name: Process(name, TASKS, most_bytes=most_bytes) for name in names}
        self.typical_ns: dict[int, float] = {}
        self.inputs: dict[int, tuple[TensorSpec, ...]] = {}
        self.remarks: dict[int, str | None] = {}

    def open(self, place: int, *, share: float = 0.0, padding: int = 0) -> None:
        """Open a side and run it until it is warm."""
        side = self._sides[place]
        process = self._processes[side.candidate.runtime]
        process.what = f"{side.candidate.path}: {side.candidate.runtime}"
        about = {"side": place, "share": share, "padding": padding, "core": self._core}
        question = {"do": OPEN, **about, "kind": self._kind, "seconds": WARM_S, **side.told}
        answer, _ = process.ask(question, seconds=WARM_S)
        self.typical_ns[place], self.remarks[place] = answer["typical_ns"], answer["remark"]
        self.inputs[place] = tuple(TensorSpec(**{**one, "shape": tuple(one["shape"])}) for one in answer["inputs"])

    def answers(self, place: int) -> Samples:
        """Return the outputs of a side for its first inputs, one after the other."""
        process = self._processes[self._sides[place].candidate.runtime]
        _, content = process.ask({"do": ANSWER, "side": place}, seconds=self.typical_ns[place] / 1e9)
        return np.frombuffer(content, np.float64)

    def take(self, order: Sequence[int], count: int) -> Samples:
        """Return ns an inference of a block of ``count`` inferences of each side that ``order`` names."""
        if len(self._processes) == 1:
            (process,) = self._processes.values()
            return self._ask(process, order, count)
        hosts = [self._processes[side.candidate.runtime] for side in self._sides]
        return np.concatenate([self._ask(hosts[place], [place], count) for place in order])

    def _ask(self, process: Process, order: Sequence[int], count: int) -> Samples:
        seconds = len(order) * (REST_S + MOST_AGAIN_S + count * max(self.typical_ns.values()) / 1e9)
        _, taken = process.ask({"do": TAKE, "order": order, "count": count}, seconds=seconds)
        return np.frombuffer(taken, np.float64)

    def close(self) -> None:
        """End the workers."""
        for process in self._processes.values():
            process.close()
