"""What was tried of an artifact's runtime, and what won."""

from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np

from toolkit.bench import statistics
from toolkit.interval import Interval

# Fewest processes whose speed-ups have a spread, and the largest logarithm of one that is believed.
LEAST_PROCESSES, MOST_LOGARITHM = 2, 50.0


@dataclass(frozen=True)
class TriedSetting:
    """A setting beside the usual ones. logarithms: of the speed-up that each process found."""

    DERIVED: ClassVar = ("speedup", "speedup_ci95", "verdict")
    setting: str
    line: str
    logarithms: tuple[float, ...]

    def __post_init__(self) -> None:
        if len(self.logarithms) < LEAST_PROCESSES or not all(abs(value) < MOST_LOGARITHM for value in self.logarithms):
            raise ValueError(f"the setting '{self.setting}' has speed-ups of no processes")

    def speedup(self, comparisons: int) -> Interval:
        """Return how many times faster it is. comparisons: how many settings were tried."""
        return statistics.paired_speedup(np.array(self.logarithms), comparisons=comparisons)


@dataclass(frozen=True)
class Tuned:
    """What was tried of one artifact. left_out: settings that were not timed, each with the reason."""

    DERIVED: ClassVar = ("best",)
    tried: tuple[TriedSetting, ...]
    left_out: dict[str, str] = field(default_factory=dict)

    def speedups(self) -> list[Interval]:
        """Return how many times faster each is, with intervals that hold all together."""
        return [one.speedup(len(self.tried)) for one in self.tried]

    @property
    def best(self) -> TriedSetting | None:
        """The fastest of those that are surely faster than the usual ones; None if none is."""
        faster = [
            (speedup.value, one) for one, speedup in zip(self.tried, self.speedups(), strict=True) if speedup.low > 1
        ]
        return max(faster, key=lambda pair: pair[0])[1] if faster else None

    def to_json(self) -> dict[str, Any]:
        """Return what a record says of it."""
        return {
            "tried": [
                {
                    "setting": one.setting,
                    "line": one.line,
                    "speedup": speedup.value,
                    "speedup_ci95": [speedup.low, speedup.high],
                    "verdict": statistics.verdict(speedup),
                    "logarithms": list(one.logarithms),
                }
                for one, speedup in zip(self.tried, self.speedups(), strict=True)
            ],
            "left_out": self.left_out,
            "best": self.best.setting if self.best else None,
        }
