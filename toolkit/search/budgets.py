"""What a network may take, and what it must reach."""

from collections.abc import Callable
from dataclasses import dataclass

from toolkit import units
from toolkit.errors import UsageError


@dataclass(frozen=True)
class Costs:
    """What a network takes as an int8 file, which is known before it is trained.

    size_bytes: of the file. macs: multiply-accumulates of one inference. memory_bytes: a lower bound of the arena that
    a microcontroller needs for its tensors (``toolkit.export.formats.c.least_arena_bytes``).
    """

    size_bytes: int
    macs: int
    memory_bytes: int
    parameters: int

    def __post_init__(self) -> None:
        if min(self.size_bytes, self.macs, self.memory_bytes) < 1:
            raise ValueError("a network takes something of everything")

    def __str__(self) -> str:
        return ", ".join(f"{cost.text(getattr(self, cost.field))} {cost.noun}" for cost in COSTS)

    def at_most(self, other: "Costs") -> bool:
        """Whether none of what a network is chosen by is more than the other's."""
        return self.size_bytes <= other.size_bytes and self.macs <= other.macs


@dataclass(frozen=True)
class Cost:
    """One of the costs that can be limited: the field of Costs, its option, what it is called, how it is written."""

    field: str
    option: str
    noun: str
    text: Callable[[float], str]

    @property
    def limit(self) -> str:
        """The field of Budgets."""
        return f"max_{self.field}"


def _number(value: float) -> str:
    return f"{value:,.0f}"


SIZE = Cost("size_bytes", "--max-size", "of int8 file", units.size)
COSTS = (
    SIZE,
    Cost("macs", "--max-macs", "MACs", _number),
    Cost("memory_bytes", "--max-memory", "of tensors", units.size),
)


@dataclass(frozen=True)
class Budgets:
    """What a network may take at most, and the accuracy in [0, 1] that it must reach; None where it does not matter."""

    max_size_bytes: float | None = None
    max_macs: float | None = None
    max_memory_bytes: float | None = None
    min_accuracy: float | None = None

    def __post_init__(self) -> None:
        for cost in COSTS:
            limit = getattr(self, cost.limit)
            if limit is not None and not 0 < limit < float("inf"):
                raise UsageError(f"{cost.option} is {limit:g}; it must be above 0")
        if self.min_accuracy is not None and not 0 < self.min_accuracy < 1:
            given = 100 * self.min_accuracy
            raise UsageError(f"--min-accuracy is {given:g}; it must be a percentage between 0 and 100")

    @classmethod
    def parse(cls, *, size: str | None, macs: str | None, memory: str | None, accuracy: float | None) -> "Budgets":
        """Return the budgets that a user gave: ``16kB``, ``0.2M``, ``8kB``, 99.3 %; UsageError for another text."""
        return cls(
            units.quantity(size, units.SIZES, "--max-size"),
            units.quantity(macs, units.COUNTS, "--max-macs"),
            units.quantity(memory, units.SIZES, "--max-memory"),
            None if accuracy is None else accuracy / 100,
        )

    def excess(self, costs: Costs) -> dict[str, float]:
        """Return what is more than it may be, by option, each with the factor, above 1, by which it is."""
        limits = {cost: getattr(self, cost.limit) for cost in COSTS}
        factors = {cost.option: getattr(costs, cost.field) / limit for cost, limit in limits.items() if limit}
        return {option: factor for option, factor in factors.items() if factor > 1}

    def __str__(self) -> str:
        limits = [f"{cost.option} {cost.text(limit)}" for cost in COSTS if (limit := getattr(self, cost.limit))]
        accuracy = [f"--min-accuracy {100 * self.min_accuracy:g} %"] if self.min_accuracy else []
        return ", ".join([*limits, *accuracy]) or "no budget"
