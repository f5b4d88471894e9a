"""What a network may take, and what it must reach."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from toolkit import units
from toolkit.errors import UsageError
from toolkit.files.documents import LATER


@dataclass(frozen=True)
class MeasuredCost:
    """A figure that was measured on a file, with its interval. where: by what, on which CPU; others have another."""

    value: float
    low: float
    high: float
    where: str

    def __post_init__(self) -> None:
        if not 0 < self.low <= self.value <= self.high:
            raise ValueError(f"{self.value:g} is not between {self.low:g} and {self.high:g}")


@dataclass(frozen=True)
class Costs:
    """What a network takes as an int8 file, which is known before it is trained.

    size_bytes: of the file. macs: multiply-accumulates of one inference. memory_bytes: a lower bound of the arena that
    a microcontroller needs for its tensors (``toolkit.export.formats.c.least_arena_bytes``). instructions, latency_s:
    of one inference on one thread; None where they are not limited, or more of something else is taken than allowed.
    """

    size_bytes: int
    macs: int
    memory_bytes: int
    parameters: int
    instructions: MeasuredCost | None = field(default=None, metadata=LATER)
    latency_s: MeasuredCost | None = field(default=None, metadata=LATER)

    def __post_init__(self) -> None:
        if min(self.size_bytes, self.macs, self.memory_bytes) < 1:
            raise ValueError("a network takes something of everything")

    def __str__(self) -> str:
        known = ((cost, cost.amount(self)) for cost in COSTS)
        return ", ".join(f"{cost.text(taken)} {cost.noun}" for cost, taken in known if taken is not None)

    @property
    def work(self) -> float:
        """What one inference computes: its instructions if they were counted, else its MACs."""
        return self.macs if self.instructions is None else self.instructions.value

    def at_most(self, other: "Costs") -> bool:
        """Whether none of what a network is chosen by is more than the other's."""
        return self.size_bytes <= other.size_bytes and self.work <= other.work


@dataclass(frozen=True)
class Cost:
    """One of the costs that can be limited: the field of Costs, its option, its heading and noun, how it is written.

    is_measured: whether it is measured on the file; others are known of the file as it is.
    """

    field: str
    option: str
    heading: str
    noun: str
    text: Callable[[float], str]
    is_measured: bool = False

    @property
    def limit(self) -> str:
        """The field of Budgets."""
        return f"max_{self.field}"

    def amount(self, costs: Costs) -> float | None:
        """Return what a network takes of it (of what was measured, the upper end); None if that is not known."""
        taken: float | MeasuredCost | None = getattr(costs, self.field)
        return taken.high if isinstance(taken, MeasuredCost) else taken

    def describe(self, costs: Costs) -> str:
        """Return what a network takes of it as a table has it: what was measured with the end of its interval."""
        taken: float | MeasuredCost | None = getattr(costs, self.field)
        if taken is None:
            return "–"
        if not isinstance(taken, MeasuredCost):
            return self.text(taken)
        bound = f" (at most {self.text(taken.high)})" if taken.high > taken.value else ""
        return self.text(taken.value) + bound


def _number(value: float) -> str:
    return f"{value:,.0f}"


SIZE = Cost("size_bytes", "--max-size", "size", "of int8 file", units.size)
MACS = Cost("macs", "--max-macs", "MACs", "MACs", _number)
COSTS = (
    SIZE,
    MACS,
    Cost("memory_bytes", "--max-memory", "memory", "of tensors", units.size),
    Cost("instructions", "--max-instructions", "instructions", "instructions", _number, is_measured=True),
    Cost("latency_s", "--max-latency", "latency", "of latency", units.seconds, is_measured=True),
)
# A network takes at least as much of these as each that it contains.
OF_FILE = tuple(cost for cost in COSTS if not cost.is_measured)


@dataclass(frozen=True)
class Budgets:
    """What a network may take at most, and the accuracy in [0, 1] that it must reach; None where it does not matter."""

    max_size_bytes: float | None = None
    max_macs: float | None = None
    max_memory_bytes: float | None = None
    min_accuracy: float | None = None
    max_instructions: float | None = field(default=None, metadata=LATER)
    max_latency_s: float | None = field(default=None, metadata=LATER)

    def __post_init__(self) -> None:
        for cost in COSTS:
            limit = self.limit(cost)
            if limit is not None and not 0 < limit < float("inf"):
                raise UsageError(f"{cost.option} is {limit:g}; it must be above 0")
        if self.min_accuracy is not None and not 0 < self.min_accuracy < 1:
            given = 100 * self.min_accuracy
            raise UsageError(f"--min-accuracy is {given:g}; it must be a percentage between 0 and 100")

    @classmethod
    def parse(
        cls,
        *,
        max_size: str | None = None,
        max_macs: str | None = None,
        max_memory: str | None = None,
        max_instructions: str | None = None,
        max_latency: str | None = None,
        min_accuracy: float | None = None,
    ) -> "Budgets":
        """Return the budgets that a user gave: ``16kB``, ``0.2M``, ``50us``, 99.3 %; UsageError for another text."""
        return cls(
            max_size_bytes=units.quantity(max_size, units.SIZES, "--max-size"),
            max_macs=units.quantity(max_macs, units.COUNTS, "--max-macs"),
            max_memory_bytes=units.quantity(max_memory, units.SIZES, "--max-memory"),
            max_instructions=units.quantity(max_instructions, units.COUNTS, "--max-instructions"),
            max_latency_s=units.quantity(max_latency, units.TIMES, "--max-latency"),
            min_accuracy=None if min_accuracy is None else min_accuracy / 100,
        )

    def limit(self, cost: Cost) -> float | None:
        """Return what may be taken of a cost; None if it does not matter."""
        limit: float | None = getattr(self, cost.limit)
        return limit

    @property
    def measured(self) -> tuple[Cost, ...]:
        """The costs that are limited, and that are known once they are measured."""
        return tuple(cost for cost in COSTS if cost.is_measured and self.limit(cost) is not None)

    def excess(self, costs: Costs, among: Sequence[Cost] = COSTS) -> dict[str, float]:
        """Return what is more than it may be, by option, each with the factor, above 1, by which it is."""
        taken = ((cost.option, cost.amount(costs), self.limit(cost)) for cost in among)
        factors = {option: value / limit for option, value, limit in taken if value and limit}
        return {option: factor for option, factor in factors.items() if factor > 1}

    def missed(self, costs: Costs, accuracy: float) -> float:
        """Return by what shares a network misses the budgets, added up; 0 if it meets them all."""
        over = sum(factor - 1 for factor in self.excess(costs).values())
        return over + (max(0.0, 1 - accuracy / self.min_accuracy) if self.min_accuracy else 0.0)

    def __str__(self) -> str:
        limits = [f"{cost.option} {cost.text(limit)}" for cost in COSTS if (limit := self.limit(cost))]
        accuracy = [f"--min-accuracy {100 * self.min_accuracy:g} %"] if self.min_accuracy else []
        return ", ".join([*limits, *accuracy]) or "no budget"
