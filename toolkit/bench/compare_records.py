"""Two records side by side: on one machine with verdicts, on two without."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from toolkit import host, units
from toolkit.bench import statistics
from toolkit.bench.record import Record
from toolkit.bench.result import Result
from toolkit.bench.statistics import SpeedVerdict
from toolkit.bench.tolerance import SLOWER, check_tolerance
from toolkit.errors import ArtifactError
from toolkit.interval import Interval
from toolkit.verdict import Verdict


@dataclass(frozen=True)
class Pair:
    """One configuration in an older and a newer record. change: how many times faster the newer is, on one machine."""

    old: Result
    new: Result
    change: Interval | None

    @property
    def verdict(self) -> SpeedVerdict | None:
        """Whether the newer one is faster or slower; None for two machines."""
        return statistics.verdict(self.change) if self.change else None

    @property
    def same_file(self) -> bool:
        """Whether both are of one file, by its digest; false if a record lacks it."""
        return self.old.sha256 is not None and self.old.sha256 == self.new.sha256

    def to_json(self, tolerance: float) -> dict[str, Any]:
        """Return what ``toolkit record compare --json`` has of the pair. tolerance: as of ``Compared``."""
        return {
            "artifact": str(self.new.path),
            "same_file": self.same_file,
            "runtime": self.new.runtime,
            "threads": self.new.threads,
            "batch": self.new.batch,
            "old_median_s": self.old.median.value,
            "new_median_s": self.new.median.value,
            "speedup": self.change.value if self.change else None,
            "speedup_ci95": [self.change.low, self.change.high] if self.change else None,
            "at_least": statistics.at_least(self.change) if self.change else None,
            "verdict": self.verdict,
            "within": statistics.is_within(self.change, tolerance) if self.change else None,
        }


@dataclass(frozen=True)
class Compared:
    """Two records side by side. True unless an artifact is slower than tolerated or can no longer be measured.

    tolerance: the share by which one may be slower. differing: the facts (CPU, cores, model …) by which the records are
    of two machines, none for one. gone: configurations of the older that the newer does not have. failed: what could
    not be measured in the newer, and why.
    """

    tolerance: float
    differing: tuple[str, ...]
    pairs: tuple[Pair, ...]
    gone: tuple[Result, ...]
    failed: dict[str, str]

    @property
    def same_host(self) -> bool:
        """Whether both are of one machine, as far as the facts tell."""
        return not self.differing

    @property
    def slower(self) -> list[Pair]:
        """The configurations that are slower by more than is tolerated, with 95 % confidence."""
        return [pair for pair in self.pairs if pair.change and statistics.is_slower(pair.change, self.tolerance)]

    @property
    def within(self) -> list[Pair]:
        """The configurations that are slower by no more than is tolerated, with 95 % confidence."""
        return [pair for pair in self.pairs if pair.change and statistics.is_within(pair.change, self.tolerance)]

    @property
    def verdict(self) -> Verdict | None:
        """PASS or FAIL; None for two machines, of which only a failure can be told."""
        return Verdict.FAIL if not self else Verdict.PASS if self.same_host else None

    def __bool__(self) -> bool:
        return not (self.slower or self.failed)

    def to_json(self) -> dict[str, Any]:
        """Return the document of ``toolkit record compare --json``."""
        return {
            "schema": 1,
            "command": "record compare",
            "compared": [pair.to_json(self.tolerance) for pair in self.pairs],
            "same_host": self.same_host,
            "differing": list(self.differing),
            "gone": [{"artifact": str(r.path), "threads": r.threads, "batch": r.batch} for r in self.gone],
            "failures": self.failed,
            "tolerance": self.tolerance,
            "verdict": self.verdict,
        }


def compare(old: Record, new: Record, *, tolerance: float = SLOWER) -> Compared:
    """Compare two records, configuration by configuration. tolerance: the share by which the newer may be slower.

    Raises UsageError for a negative tolerance, ArtifactError if the records have nothing in common or one was made
    under emulation.
    """
    check_tolerance(tolerance)
    for record in (old, new):
        if record.host.emulated:
            raise ArtifactError(f"{record.folder}: was made under emulation and has no latencies to compare")
    differing = host.differences(old.host.to_json(), new.host.to_json())
    before, after = ({_key(result): result for result in record.results} for record in (old, new))
    pairs = tuple(
        Pair(before[key], result, None if differing else statistics.unpaired_speedup(before[key].invoke, result.invoke))
        for key, result in after.items()
        if key in before
    )
    if not pairs:
        told = " and ".join(f"{record.folder} has {_told(record.results)}" for record in (old, new))
        raise ArtifactError(f"the records have no configuration in common: {told}; compare records of the same files")
    gone = tuple(result for key, result in before.items() if key not in after)
    return Compared(tolerance, differing, pairs, gone, new.failures)


def _key(result: Result) -> tuple[str, str, str, int, int]:
    """What makes two results comparable, wherever the folder lies: its name and the file's, and the configuration."""
    return result.path.parent.name, result.path.name, result.runtime, result.threads, result.batch


def _told(results: Sequence[Result]) -> str:
    """Say what a record has, in the words by which two results are told apart."""
    if not results:
        return "no results"
    folder, file, runtime, threads, batch = _key(results[0])
    more = f" and {units.count(len(results) - 1, 'other')}" if len(results) > 1 else ""
    return f"{Path(folder, file)} ({runtime}, {units.count(threads, 'thread')}, {units.count(batch, 'image')}){more}"
