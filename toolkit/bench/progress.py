"""Where a benchmark stands: what each configuration is at, its median so far, and how long the rest will take."""

import time
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from toolkit.step import Step

if TYPE_CHECKING:
    from toolkit.bench.configuration import Configuration

# What takes time: starting a process (load, warm up), a turn of it, and its block at the pace of a camera.
# Beside its float32 original, a round of processes.
START, TURN, PACE, PAIR = "start", "turn", "pace", "pair"


@dataclass(frozen=True)
class Row:
    """One configuration. state: in words. median_s: of the medians of its blocks so far; None before the first."""

    path: Path
    runtime: str
    threads: int
    batch: int
    state: str
    median_s: float | None


@dataclass
class _Standing:
    """What was done for a configuration. failure: why it failed; starting: whether a process is being started."""

    done: Counter[str] = field(default_factory=Counter)
    medians_s: list[float] = field(default_factory=list)
    failure: str | None = None
    starting: bool = False


class BenchProgress:
    """Told by the schedule of each step, after it; shows where the benchmark stands to whoever listens.

    The listener is called between two blocks, so that it disturbs none; what it asks for is computed only then.
    """

    def __init__(
        self,
        configurations: Sequence["Configuration"],
        planned: dict[str, int],
        *,
        paired: Collection["Configuration"] = (),
        processes: int,
        expected_s: dict[str, float],
        emulated: bool,
        on_step: Callable[["BenchProgress"], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Begin.

        planned: how many steps of each kind a process has. paired: what is also timed beside its float32 original.
        expected_s: what a step takes until one was timed. emulated: emulated time is no latency, and no median is
        shown.
        """
        self._standings = {configuration: _Standing() for configuration in configurations}
        self._planned, self._processes, self._expected_s = planned, processes, expected_s
        self.emulated, self._on_step, self._clock = emulated, on_step, clock
        self._paired = paired
        self._spent_s = dict.fromkeys(planned, 0.0)
        self._last_s = clock()

    def starting(self, configuration: "Configuration") -> None:
        """Note that the next process of a configuration will be started."""
        self._standings[configuration].starting = True
        self._on_step(self)

    def did(self, step: str, configuration: "Configuration", samples_ns: NDArray[np.float64] | None = None) -> None:
        """Note a step that is over, and its samples, if they count for the median."""
        standing = self._standings[configuration]
        standing.starting = False
        standing.done[step] += 1
        if samples_ns is not None and not self.emulated:
            standing.medians_s.append(float(np.median(samples_ns)) / 1e9)
        now_s = self._clock()
        self._spent_s[step] += now_s - self._last_s
        self._last_s = now_s
        if step != START:  # the next start or turn follows at once, and says more
            self._on_step(self)

    def failed(self, configuration: "Configuration", why: str) -> None:
        """Note that a configuration is given up."""
        self._standings[configuration].failure = why.removeprefix(f"{configuration.candidate.path}: ")
        self._last_s = self._clock()
        self._on_step(self)

    def rows(self) -> list[Row]:
        """Return one row for each configuration."""
        return [
            Row(
                configuration.candidate.path,
                configuration.candidate.runtime,
                configuration.threads,
                configuration.batch,
                self._state(configuration, standing),
                float(np.median(standing.medians_s)) if standing.medians_s else None,
            )
            for configuration, standing in self._standings.items()
        ]

    @property
    def left_s(self) -> float | None:
        """Seconds that the rest will take by what the steps so far took on average; None before the first start."""
        steps = {step: sum(standing.done[step] for standing in self._standings.values()) for step in self._planned}
        if not steps[START]:
            return None
        return sum(
            self._left(step) * (self._spent_s[step] / count if count else self._expected_s[step])
            for step, count in steps.items()
        )

    @property
    def share(self) -> float:
        """How much is done, in [0, 1], of the time that all takes."""
        left_s = self.left_s
        spent_s = sum(self._spent_s.values())
        return 0.0 if left_s is None else spent_s / (spent_s + left_s)

    @property
    def step(self) -> Step:
        """The same in words and in percent."""
        left_s = self.left_s
        return Step(round(100 * self.share), 100, "" if left_s is None else f"about {left_s:.0f} s left", self)

    def _left(self, step: str) -> int:
        going_on = ((one, standing) for one, standing in self._standings.items() if standing.failure is None)
        return sum(self._processes * self._planned_of(one, step) - standing.done[step] for one, standing in going_on)

    def _planned_of(self, configuration: "Configuration", step: str) -> int:
        return 0 if step == PAIR and configuration not in self._paired else self._planned.get(step, 0)

    def _state(self, configuration: "Configuration", standing: _Standing) -> str:
        if standing.failure is not None:
            return f"failed: {standing.failure}"
        started, turns = standing.done[START], self._planned.get(TURN, 0)
        if standing.starting:
            return f"process {started + 1} of {self._processes}, starting"
        if not started:
            return "waiting"
        turn = standing.done[TURN] - (started - 1) * turns
        pairs = self._processes * self._planned_of(configuration, PAIR)
        if started == self._processes and turn == turns and standing.done[PAIR] == pairs:
            return "done"
        if turn == turns and pairs:
            return f"process {started} of {self._processes}, beside float32"
        return f"process {started} of {self._processes}, " + (f"turn {turn} of {turns}" if turn else "warm")
