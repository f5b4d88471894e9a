"""What an artifact computes and how long each operator takes: figures, from what a worker has measured."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any, ClassVar

from toolkit.runtimes.base.graph import Operator

# Operators that only bring numbers from one type to another, by what their names hold.
CONVERSIONS = ("Quantize", "QUANTIZE", "Cast", "CAST")


@dataclass(frozen=True)
class Timed:
    """An operator with the time it adds to an inference; None if that was not measured."""

    operator: Operator
    seconds: float | None

    @property
    def converts(self) -> bool:
        """Whether it only brings numbers from one type to another."""
        return not self.operator.arithmetic and any(word in self.operator.name for word in CONVERSIONS)


@dataclass(frozen=True)
class Profile:
    """The operators of an artifact, and the times of its prefixes.

    prefixes_s: median latency of the artifact cut off after none of its operators, after the first, … after all; None
    where it was not measured, and untimed says why.
    """

    DERIVED: ClassVar = ("macs", "weight_bytes", "arithmetic", "call_s")
    operators: tuple[Operator, ...]
    prefixes_s: tuple[float, ...] | None
    untimed: str | None

    @cached_property
    def timed(self) -> tuple[Timed, ...]:
        """The operators with what each adds to the time of those before it, at least 0."""
        if self.prefixes_s is None:
            return tuple(Timed(operator, None) for operator in self.operators)
        pairs = zip(self.operators, self.prefixes_s, self.prefixes_s[1:], strict=False)
        return tuple(Timed(operator, max(0.0, after - before)) for operator, before, after in pairs)

    @property
    def call_s(self) -> float | None:
        """What a call takes that computes nothing."""
        return self.prefixes_s[0] if self.prefixes_s else None

    @property
    def total_s(self) -> float | None:
        """What the whole artifact took beside its prefixes."""
        return self.prefixes_s[-1] if self.prefixes_s else None

    @property
    def macs(self) -> int | None:
        """Multiply-accumulates of one inference; None if an operator's are not known."""
        counts = [operator.macs for operator in self.operators]
        return None if None in counts else sum(count for count in counts if count is not None)

    @property
    def weight_bytes(self) -> int:
        """Bytes of the constants, as the kernels take them: float16 that is computed in float32 counts as float32."""
        return sum(operator.weight_bytes for operator in self.operators)

    @property
    def arithmetic(self) -> str | None:
        """What most of its multiply-accumulates are made in."""
        counts: Counter[str] = Counter()
        for operator in self.operators:
            if operator.arithmetic:
                counts[operator.arithmetic] += operator.macs or 0
        return counts.most_common(1)[0][0] if counts else None

    def arithmetic_s(self) -> float:
        """Return the time of the operators that multiply."""
        return _sum(timed for timed in self.timed if timed.operator.arithmetic)

    def conversions_s(self) -> float:
        """Return the time of the operators that only bring numbers from one type to another."""
        return _sum(timed for timed in self.timed if timed.converts)

    def rest_s(self) -> float:
        """Return the time of all other operators."""
        return _sum(timed for timed in self.timed if not timed.converts and not timed.operator.arithmetic)

    def to_json(self) -> dict[str, Any]:
        """Return what a record says of it."""
        return {
            "macs": self.macs,
            "weight_bytes": self.weight_bytes,
            "arithmetic": self.arithmetic,
            "call_s": self.call_s,
            "operators": [{**asdict(timed.operator), "seconds": timed.seconds} for timed in self.timed],
            "prefixes_s": self.prefixes_s and list(self.prefixes_s),
            "untimed": self.untimed,
        }


def _sum(timed: Iterable[Timed]) -> float:
    return sum(one.seconds or 0.0 for one in timed)
