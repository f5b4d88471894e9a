"""Test the benchmark itself: one artifact against itself, and against itself with a slow-down of known size."""

import time
from collections.abc import Callable
from dataclasses import astuple, dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from toolkit import host, runtimes
from toolkit.bench import alternating, passing_on, statistics
from toolkit.bench.candidates import Candidate
from toolkit.bench.configuration import Configuration
from toolkit.bench.pairs import Pairs
from toolkit.bench.plan import Plan
from toolkit.bench.record import make
from toolkit.bench.statistics import Samples, SpeedVerdict
from toolkit.errors import ArtifactError, UsageError
from toolkit.files import atomic, write_json
from toolkit.host import Host
from toolkit.interval import Interval
from toolkit.step import OnStep, Step, ignore
from toolkit.verdict import Verdict

CERTIFICATE, SAMPLES = "certificate.json", "certificate.npz"
# Slow-downs to plant, as shares; 0 is the artifact itself, opened a second time.
PLANTED = (0.0, 0.02, 0.05)
TRIALS = 100
# Most trials that may call the artifact different from itself, and fewest whose interval must hold the truth.
MOST_FALSE, LEAST_COVERED = 0.05, 0.93
# Share of trials in which a slow-down must be seen; a smaller one to be called detectable.
POWER = {0.02: 0.8, 0.05: 0.99}
DETECTABLE = 0.8
# Seconds after which no round is begun, and most rounds: a run takes less than three minutes.
LONGEST_S = 160.0
MOST_ROUNDS = 150


@dataclass(frozen=True)
class Planted:
    """What all trials found for one planted slow-down. share: of it. speedups: one of each trial."""

    share: float
    speedups: tuple[Interval, ...]

    @property
    def called_different(self) -> int:
        """In how many trials it was called faster or slower."""
        return sum(statistics.verdict(one) != SpeedVerdict.INDISTINGUISHABLE for one in self.speedups)

    @property
    def detected(self) -> int:
        """In how many trials it was called slower."""
        return sum(statistics.verdict(one) == SpeedVerdict.SLOWER for one in self.speedups)

    @property
    def covered(self) -> int:
        """In how many trials the interval held the truth."""
        return sum(one.low <= 1 / (1 + self.share) <= one.high for one in self.speedups)

    @property
    def measured(self) -> float:
        """The median slow-down that was measured, as a share."""
        return float(np.median([1 / one.value for one in self.speedups])) - 1

    @property
    def half_width(self) -> float:
        """The median of half the width of the intervals, as a share."""
        return float(np.median([(one.high - one.low) / 2 for one in self.speedups]))

    @property
    def passed(self) -> bool:
        """Whether the truth was held, what is the same was called the same, and what is slower was seen."""
        count = len(self.speedups)
        seen = self.detected >= POWER[self.share] * count if self.share else self.called_different <= MOST_FALSE * count
        return seen and self.covered >= LEAST_COVERED * count

    def to_json(self) -> dict[str, Any]:
        """Return what the certificate says of it."""
        return {
            "planted": self.share,
            "measured": self.measured,
            "half_width": self.half_width,
            "trials": len(self.speedups),
            "called_different": self.called_different,
            "detected": self.detected,
            "covered": self.covered,
            "verdict": Verdict.from_passed(self.passed),
            "speedups": [list(astuple(one)) for one in self.speedups],
        }


@dataclass(frozen=True, eq=False)
class Certificate:
    """What the rounds found, two processes each, and the trials that are drawn from them.

    rounds: of each process, seconds an inference, (turns, 1 + PLANTED): of the artifact, and of it opened again for
    each slow-down. plan: of a trial, which has as many rounds as that has processes.
    """

    artifact: Path
    folder: Path
    host: Host
    plan: Plan
    rounds: tuple[tuple[Samples, ...], ...]
    versions: dict[str, str] = field(default_factory=runtimes.versions)

    @property
    def path(self) -> Path:
        """The file of it; the raw samples are beside it."""
        return self.folder / CERTIFICATE

    @property
    def processes(self) -> tuple[int, int]:
        """How many processes a trial has, and all rounds."""
        return self.plan.processes * alternating.PROCESSES, len(self.rounds) * alternating.PROCESSES

    @property
    def independent(self) -> int:
        """How many trials could be made of the rounds without using one twice."""
        return len(self.rounds) // self.plan.processes

    @cached_property
    def planted(self) -> tuple[Planted, ...]:
        """What was found, by planted slow-down."""
        rng = np.random.default_rng(self.plan.seed)
        drawn = [rng.choice(len(self.rounds), self.plan.processes, replace=False) for _ in range(TRIALS)]
        planted = []
        for place, share in enumerate(PLANTED, 1):
            logarithms = np.array(
                [Pairs.from_processes([blocks[:, [0, place]] for blocks in one]).logarithms for one in self.rounds]
            )
            speedups = (statistics.paired_speedup(logarithms[rounds].ravel()) for rounds in drawn)
            planted.append(Planted(share, tuple(speedups)))
        return tuple(planted)

    @property
    def detectable(self) -> float | None:
        """The smallest planted slow-down that at least DETECTABLE of the trials saw; None if none was."""
        seen = [one.share for one in self.planted if one.share and one.detected >= DETECTABLE * TRIALS]
        return min(seen, default=None)

    @property
    def passed(self) -> bool:
        """Whether all that is required holds."""
        return all(one.passed for one in self.planted)

    def to_json(self) -> dict[str, Any]:
        """Return the document of ``toolkit certify --json``."""
        return {
            "schema": 1,
            "command": "certify",
            "artifact": str(self.artifact),
            "host": self.host.to_json(),
            "versions": self.versions,
            "trials": TRIALS,
            "processes_of_a_trial": self.processes[0],
            "processes": self.processes[1],
            "independent_trials": self.independent,
            "planted": [one.to_json() for one in self.planted],
            "detectable": self.detectable,
            "verdict": Verdict.from_passed(self.passed),
        }

    def save(self) -> None:
        """Write it, and the raw samples of all processes, one after the other."""
        processes = [blocks for one in self.rounds for blocks in one]
        with atomic(self.folder / SAMPLES) as temporary:
            np.savez_compressed(
                temporary, blocks_s=np.concatenate(processes), lengths=np.array([len(blocks) for blocks in processes])
            )
        artifact = passing_on.names([self.artifact])[self.artifact]
        write_json(self.path, {**self.to_json(), "artifact": str(artifact)})


def certify(
    candidate: Candidate,
    folder: Path,
    plan: Plan,
    *,
    on_step: OnStep = ignore,
    clock: Callable[[], float] = time.monotonic,
) -> Certificate:
    """Time an artifact beside itself and beside slowed copies of itself, in as many processes as three minutes allow.

    Each trial is as many rounds of them as a benchmark by ``plan`` has, drawn at random. Rounds are exchangeable, so a
    share of trials is a U-statistic, an unbiased estimate of the probability (W. Hoeffding, "A class of statistics with
    asymptotically normal distribution", 1948). Ctrl-C ends it with the rounds that were measured. Raises ArtifactError
    if the artifact cannot be measured or the machine is emulated, UsageError if a trial would have more processes than
    there are rounds, and KeyboardInterrupt if there is not one trial.
    """
    if plan.processes > MOST_ROUNDS:
        raise UsageError(f"a trial of {plan.processes:,} processes was asked for; allowed: up to {MOST_ROUNDS}")
    machine = host.describe()
    if machine.emulated:
        raise ArtifactError(f"{candidate.path}: this machine is emulated, its times say nothing of a benchmark")
    shares = (0.0, *PLANTED)
    sides = [Configuration(candidate, plan.threads[0], plan.batches[0]) for _ in shares]
    seconds = plan.seconds / plan.processes / alternating.PROCESSES
    rng = np.random.default_rng(plan.seed)
    rounds: list[tuple[Samples, ...]] = []
    folder = make(folder)  # now: in the end a folder that cannot be made would cost what was measured
    began = clock()
    try:
        while len(rounds) < MOST_ROUNDS and ((taken := clock() - began) < LONGEST_S or len(rounds) < plan.processes):
            done = max(taken / LONGEST_S, len(rounds) / MOST_ROUNDS)
            on_step(Step(round(100 * done), 100, f"{candidate.path}: round {len(rounds) + 1}"))
            both = alternating.twice(sides, seconds=seconds, rng=rng, shares=shares)
            rounds.append(tuple(one.blocks_s for one in both))
    except BaseException as error:
        if not isinstance(error, KeyboardInterrupt) or len(rounds) < plan.processes:
            folder.rmdir()
            raise
    certificate = Certificate(candidate.path, folder, machine, plan, tuple(rounds))
    certificate.save()
    return certificate
