"""How artifacts are to be measured, as a user asks for it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TypedDict

from toolkit import units
from toolkit.bench.advice import Requirements
from toolkit.bench.measure import END_TO_END, INVOKE
from toolkit.errors import UsageError

# Processes differ more than the blocks of one: how memory happens to lie decides as much as the clock.
PROCESSES = 5
# Seconds of one block, by what it times. Short, so that drift hits all configurations alike.
BLOCK_S = {INVOKE: 0.02, END_TO_END: 0.01}
# Fewest turns of each process.
LEAST_TURNS = 3
# The least and the most of what may be asked for. What is more is a slip, and would take days or all memory.
THREADS, BATCHES, MEASURING = (1, 1024), (1, 65_536), (1, 1000)
SECONDS, IMAGES_PER_S = (0.001, 3600), (0.1, 1_000_000)
SEEDS = (0, 2**32 - 1)


class PlanOptions(TypedDict, total=False):
    """The fields of a Plan, as options of a call."""

    threads: Sequence[int]
    batches: Sequence[int]
    seconds: float
    processes: int
    rate: float | None
    seed: int
    budgets: Requirements


@dataclass(frozen=True)
class Plan:
    """How to measure; UsageError for what makes no sense. seconds: of measuring each configuration, over all processes.

    rate: images a second to pace a third figure by, as a camera would. seed: of the order of turns. budgets: of what is
    recommended.
    """

    threads: Sequence[int] = (1,)
    batches: Sequence[int] = (1,)
    seconds: float = 1.0
    processes: int = PROCESSES
    rate: float | None = None
    seed: int = 0
    budgets: Requirements = field(default_factory=Requirements)

    def __post_init__(self) -> None:
        if not self.threads or not self.batches:
            raise UsageError("name at least one number of threads, and one batch size")
        for threads in self.threads:
            units.require_from("the number of threads", threads, *THREADS)
        for batch in self.batches:
            units.require_from("the batch size", batch, *BATCHES)
        units.require_from("the number of processes", self.processes, *MEASURING)
        units.require_from("the number of seconds", self.seconds, *SECONDS)
        if self.rate is not None:
            units.require_from("the rate, in images a second,", self.rate, *IMAGES_PER_S)
        units.require_from("the seed", self.seed, *SEEDS)

    @property
    def turns(self) -> int:
        """How many blocks of each kind a process measures."""
        return max(LEAST_TURNS, round(self.seconds / self.processes / sum(BLOCK_S.values())))
