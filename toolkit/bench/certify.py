"""Test the benchmark itself: one artifact against itself, and against itself with a slow-down of known size."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from toolkit import host
from toolkit.bench import statistics
from toolkit.bench.candidates import Candidate
from toolkit.bench.configuration import Configuration
from toolkit.bench.record import Record
from toolkit.bench.schedule import Plan, measure
from toolkit.bench.statistics import SpeedVerdict
from toolkit.errors import ArtifactError
from toolkit.files import write_json
from toolkit.interval import Interval
from toolkit.step import OnStep, Step, ignore
from toolkit.verdict import Verdict

CERTIFICATE = "certificate.json"
# Slow-downs to plant, as shares; 0 is the artifact itself under another name.
PLANTED = (0.0, 0.02, 0.05, 0.1)
# Most comparisons of the artifact with itself that may be called different: what a 95 % interval promises.
MOST_FALSE = 0.05
# Share of trials in which a slow-down must be seen to be called detectable.
POWER = 0.8
TRIALS = 20


@dataclass(frozen=True)
class PlantedTrial:
    """The speed-up that one trial found for a planted slow-down."""

    planted: float
    speedup: Interval

    @property
    def verdict(self) -> SpeedVerdict:
        """What the benchmark called it."""
        return statistics.verdict(self.speedup)

    @property
    def covered(self) -> bool:
        """Whether the interval holds the truth."""
        return self.speedup.low <= 1 / (1 + self.planted) <= self.speedup.high


@dataclass(frozen=True)
class Planted:
    """What all trials found for one planted slow-down."""

    share: float
    comparisons: tuple[PlantedTrial, ...]

    @property
    def called_different(self) -> int:
        """In how many trials it was called faster or slower."""
        return sum(one.verdict != SpeedVerdict.INDISTINGUISHABLE for one in self.comparisons)

    @property
    def detected(self) -> int:
        """In how many trials it was called slower."""
        return sum(one.verdict == SpeedVerdict.SLOWER for one in self.comparisons)

    @property
    def covered(self) -> int:
        """In how many trials the interval held the truth."""
        return sum(one.covered for one in self.comparisons)

    @property
    def found(self) -> float:
        """The median slow-down that was found, as a share."""
        return float(np.median([1 / one.speedup.value for one in self.comparisons])) - 1

    def to_json(self) -> dict[str, Any]:
        """Return what the certificate says of it."""
        return {
            "planted": self.share,
            "found": self.found,
            "trials": len(self.comparisons),
            "called_different": self.called_different,
            "detected": self.detected,
            "covered": self.covered,
            "speedups": [[one.speedup.value, one.speedup.low, one.speedup.high] for one in self.comparisons],
        }


@dataclass(frozen=True)
class Certificate:
    """What the trials found: each a record of the artifact, of it under another name, and of its slowed copies."""

    artifact: Path
    trials: tuple[Record, ...]

    @property
    def path(self) -> Path:
        """The file of it, in the folder that has the record of each trial."""
        return self.trials[0].folder.parent / CERTIFICATE

    @cached_property
    def planted(self) -> tuple[Planted, ...]:
        """What was found, by planted slow-down."""
        by_trial = [_comparisons(record) for record in self.trials]
        return tuple(
            Planted(share, tuple(comparisons[position] for comparisons in by_trial))
            for position, share in enumerate(PLANTED)
        )

    @property
    def medians_s(self) -> tuple[float, ...]:
        """The median latency of the artifact as it is, by trial."""
        return tuple(record.results[0].median.value for record in self.trials)

    @property
    def spread(self) -> float:
        """The coefficient of variation of the medians of the trials; NaN for a single trial."""
        medians = np.array(self.medians_s)
        return float(medians.std(ddof=1) / medians.mean()) if len(medians) > 1 else float("nan")

    @property
    def detectable(self) -> float | None:
        """The smallest planted slow-down that at least POWER of the trials saw; None if none was."""
        seen = [one.share for one in self.planted if one.share and one.detected >= POWER * len(one.comparisons)]
        return min(seen, default=None)

    @property
    def passed(self) -> bool:
        """Whether the artifact was called different from itself no more often than a 95 % interval may."""
        same = self.planted[0]
        return same.called_different <= MOST_FALSE * len(same.comparisons)

    def to_json(self) -> dict[str, Any]:
        """Return the document of ``toolkit certify --json``."""
        last = self.trials[-1]
        return {
            "schema": 1,
            "command": "certify",
            "artifact": str(self.artifact),
            "host": last.host.to_json(),
            "versions": last.versions,
            "trials": len(self.trials),
            "planted": [one.to_json() for one in self.planted],
            "detectable": self.detectable,
            "medians_s": list(self.medians_s),
            "spread": self.spread if len(self.trials) > 1 else None,
            "verdict": Verdict.of(self.passed),
        }


def certify(
    candidate: Candidate,
    folder: Path,
    plan: Plan,
    *,
    trials: int = TRIALS,
    on_step: OnStep = ignore,
) -> Certificate:
    """Measure an artifact beside itself and its slowed copies, again and again, each time with new processes.

    Each trial is a benchmark by ``plan`` with an order of its own. Ctrl-C ends it after the last whole trial. Raises
    ArtifactError if the artifact cannot be measured or the machine is emulated, and KeyboardInterrupt if not one
    trial was finished.
    """
    if host.describe().emulated:
        raise ArtifactError(f"{candidate.path}: this machine is emulated, its times say nothing of a benchmark")
    configurations = [Configuration(candidate, 1, 1, busy_share=share) for share in (0.0, *PLANTED)]
    records: list[Record] = []
    for number in range(trials):
        on_step(Step(number, trials, f"{candidate.path}: trial {number + 1}"))
        record = measure(configurations, folder / f"trial-{number + 1:02}", replace(plan, seed=plan.seed + number))
        if record.failures:
            raise ArtifactError("; ".join(dict.fromkeys(record.failures.values())))
        if record.interrupted:
            break
        records.append(record)
        found = Certificate(candidate.path, tuple(records))
        write_json(folder / CERTIFICATE, found.to_json())
    on_step(Step(trials, trials, ""))
    if not records:
        raise KeyboardInterrupt
    return found


def _comparisons(record: Record) -> Sequence[PlantedTrial]:
    itself, *others = record.results
    return [
        PlantedTrial(share, statistics.speedup(itself.invoke, other.invoke))
        for share, other in zip(PLANTED, others, strict=True)
    ]
