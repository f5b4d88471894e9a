"""Two records side by side: on one machine with verdicts, on two without."""

from dataclasses import dataclass
from typing import Any

from toolkit import host
from toolkit.bench import statistics
from toolkit.bench.record import Record
from toolkit.bench.result import Result
from toolkit.bench.statistics import SLOWER, Interval


@dataclass(frozen=True)
class Pair:
    """One configuration in an older and a newer record. change: how many times faster the newer is, on one machine."""

    old: Result
    new: Result
    change: Interval | None

    @property
    def verdict(self) -> str | None:
        """What the newer one is; None between two machines."""
        return statistics.verdict(self.change) if self.change else None

    def regressed(self, tolerance: float) -> bool:
        """Say whether the newer one is slower by surely more than ``tolerance``, a share."""
        return self.change is not None and self.verdict == SLOWER and self.change.high < 1 / (1 + tolerance)

    def to_json(self) -> dict[str, Any]:
        """Return the pair as ``toolkit bench --compare --json`` has it."""
        return {
            "artifact": str(self.new.path),
            "runtime": self.new.runtime,
            "threads": self.new.threads,
            "batch": self.new.batch,
            "old_median_s": self.old.median.value,
            "new_median_s": self.new.median.value,
            "speedup": self.change.value if self.change else None,
            "speedup_ci95": [self.change.low, self.change.high] if self.change else None,
            "verdict": self.verdict,
        }


def compare(old: Record, new: Record) -> tuple[bool, list[Pair]]:
    """Return whether both were measured on one machine, and the configurations that both have."""
    same = host.is_same(old.host.to_json(), new.host.to_json())
    before = {_key(result): result for result in old.results}
    pairs = [
        Pair(before[key], result, statistics.unpaired_speedup(before[key].invoke, result.invoke) if same else None)
        for result in new.results
        if (key := _key(result)) in before
    ]
    return same, pairs


def _key(result: Result) -> tuple[str, str, str, int, int]:
    """What makes two results comparable, wherever the folder lies: its name and the file's, and the setting."""
    return result.path.parent.name, result.path.name, result.runtime, result.threads, result.batch
