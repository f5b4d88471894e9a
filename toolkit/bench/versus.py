"""Two files side by side: is the candidate slower than the reference?"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from toolkit import host
from toolkit.bench import alternating, statistics
from toolkit.bench.alternating import Alternated
from toolkit.bench.candidates import Candidate
from toolkit.bench.configuration import Configuration
from toolkit.bench.pairs import Pairs
from toolkit.bench.plan import Plan
from toolkit.bench.statistics import SpeedVerdict
from toolkit.bench.tolerance import SLOWER, check_tolerance
from toolkit.errors import ArtifactError
from toolkit.files import sha256
from toolkit.interval import Interval
from toolkit.manifest import TensorSpec
from toolkit.step import OnStep, ignore
from toolkit.verdict import Verdict


@dataclass(frozen=True, eq=False)
class Versus:
    """Two files side by side. True unless the candidate is slower than tolerated, with 95 % confidence.

    processes: what each process measured, the reference first; none if both files are the same by their digest.
    tolerance: the share by which the candidate may be slower.
    """

    reference: Configuration
    candidate: Configuration
    processes: tuple[Alternated, ...]
    tolerance: float

    @property
    def pairs(self) -> Pairs | None:
        """The blocks that alternate; None if both files are the same."""
        return Pairs.from_processes([one.pairs(0, 1) for one in self.processes]) if self.processes else None

    @property
    def speedup(self) -> Interval | None:
        """How many times faster the candidate is; None if both files are the same."""
        return self.pairs.speedup if self.pairs else None

    @property
    def within(self) -> bool:
        """Whether the candidate is slower by no more than is tolerated, with 95 % confidence."""
        return self.speedup is None or statistics.is_within(self.speedup, self.tolerance)

    @property
    def verdict(self) -> SpeedVerdict:
        """Whether the candidate is faster or slower."""
        return statistics.verdict(self.speedup) if self.speedup else SpeedVerdict.INDISTINGUISHABLE

    @property
    def inputs(self) -> tuple[tuple[TensorSpec, ...], ...]:
        """What each takes; empty if both files are the same."""
        return self.processes[0].inputs if self.processes else ()

    @property
    def same_inputs(self) -> bool:
        """Whether both are given inputs of the same shapes and types; a size that is free is that of the batch."""
        kinds = {
            tuple((tuple(size or self.candidate.batch for size in spec.shape), spec.dtype) for spec in one)
            for one in self.inputs
        }
        return len(kinds) < 2

    @property
    def one_process(self) -> bool:
        """Whether one runtime runs both, so that one process could."""
        return self.reference.candidate.runtime == self.candidate.candidate.runtime

    @property
    def remarks(self) -> list[str]:
        """How the files were opened, if not as their runtimes would by themselves."""
        sides = (self.reference, self.candidate)
        told = [zip(sides, one.remarks, strict=True) for one in self.processes[:1]]
        return [f"{side.candidate.path}: {remark}" for one in told for side, remark in one if remark]

    def medians_s(self) -> tuple[float, ...]:
        """Return the median of the blocks of each; empty if both files are the same."""
        pairs = self.pairs
        return tuple(float(np.median(blocks)) for blocks in (pairs.reference, pairs.candidate)) if pairs else ()

    def __bool__(self) -> bool:
        return self.speedup is None or not statistics.is_slower(self.speedup, self.tolerance)

    def to_json(self) -> dict[str, Any]:
        """Return the document of ``toolkit compare --json`` for two files."""
        reference_s, candidate_s = self.medians_s() or (None, None)
        speedup, pairs = self.speedup, self.pairs
        compared = {
            "reference": str(self.reference.candidate.path),
            "reference_runtime": self.reference.candidate.runtime,
            "artifact": str(self.candidate.candidate.path),
            "runtime": self.candidate.candidate.runtime,
            "threads": self.candidate.threads,
            "batch": self.candidate.batch,
            "same_file": pairs is None,
            "same_inputs": self.same_inputs,
            "one_process": self.one_process,
            "paired": pairs.to_json() if pairs else None,
            "reference_median_s": reference_s,
            "candidate_median_s": candidate_s,
            "speedup": speedup.value if speedup else None,
            "speedup_ci95": [speedup.low, speedup.high] if speedup else None,
            "at_least": statistics.at_least(speedup) if speedup else None,
            "verdict": self.verdict,
            "within": self.within,
            "process_speedups": np.exp(pairs.logarithms).tolist() if pairs else [],
        }
        return {
            "schema": 1,
            "command": "compare",
            "compared": [compared],
            "tolerance": self.tolerance,
            "verdict": Verdict.from_passed(bool(self)),
        }


def versus(files: Sequence[Candidate], plan: Plan, *, tolerance: float = SLOWER, on_step: OnStep = ignore) -> Versus:
    """Time two files side by side, a reference and a candidate, each with inputs of its own.

    Files that are the same by their digest are not timed. tolerance: the share by which the candidate may be slower.
    Raises UsageError for a negative tolerance, ArtifactError if one cannot be measured or this machine is emulated.
    """
    check_tolerance(tolerance)
    reference, candidate = (Configuration(one, plan.threads[0], plan.batches[0]) for one in files)
    processes: list[Alternated] = []
    if sha256(reference.candidate.path) != sha256(candidate.candidate.path):
        if host.describe().emulated:
            raise ArtifactError(f"{candidate.candidate.path}: this machine is emulated, its times are no latencies")
        processes = alternating.in_rounds((reference, candidate), plan, on_step=on_step)
    return Versus(reference, candidate, tuple(processes), tolerance)
