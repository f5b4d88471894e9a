"""What this machine can do at best with one runtime and arithmetic: S. Williams, A. Waterman and D. Patterson,
"Roofline: An Insightful Visual Performance Model for Multicore Architectures", Communications of the ACM 52(4), 2009.

The bytes a second are those of weights of the artifact's size, wherever they lie, in a cache or in memory: a small
model never leaves the caches (A. Ilic, F. Pratas and L. Sousa, "Cache-aware Roofline Model", IEEE CAL 13(1), 2014).
"""

from dataclasses import dataclass
from math import log

from toolkit.files.kept import Kept
from toolkit.host import Host

FOLDER = "roofline"
# Part of the key of the cache: raised when a probe changes.
PROBES = 1
COMPUTE, MEMORY = "arithmetic", "memory"


@dataclass(frozen=True)
class Roofline:
    """Two roofs. bytes_per_s: by bytes of weights that are read once an inference, ascending."""

    macs_per_s: float
    bytes_per_s: tuple[tuple[int, float], ...]

    def __post_init__(self) -> None:
        rates = (self.macs_per_s, *(number for pair in self.bytes_per_s for number in pair))
        if not self.bytes_per_s or min(rates) <= 0:
            raise ValueError("a rate of a roofline is not above 0")

    def bandwidth(self, weight_bytes: int) -> float:
        """Return the bytes a second of the probe whose weights come nearest."""
        return min(self.bytes_per_s, key=lambda pair: abs(log(pair[0] / max(weight_bytes, 1))))[1]

    def attainable(self, macs: int, weight_bytes: int) -> tuple[float, str]:
        """Return the multiply-accumulates a second that the lower roof allows, and which roof that is."""
        by_memory = macs / max(weight_bytes, 1) * self.bandwidth(weight_bytes)
        return (self.macs_per_s, COMPUTE) if self.macs_per_s <= by_memory else (by_memory, MEMORY)


Roofs = dict[str, Roofline]


def higher(one: Roofs, other: Roofs) -> Roofs:
    """Return the higher of two measurements of the same roofs: a disturbance makes them lower, never higher."""
    return {
        name: Roofline(
            max(roof.macs_per_s, other[name].macs_per_s),
            tuple(
                (size, max(rate, again))
                for (size, rate), (_, again) in zip(roof.bytes_per_s, other[name].bytes_per_s, strict=True)
            ),
        )
        for name, roof in one.items()
    }


def kept(host: Host, versions: dict[str, str], runtime: str, *, threads: int) -> Kept:
    """Return the place of the roofs of one runtime with a number of threads: by processor, cores and versions."""
    known = {name: getattr(host, name) for name in ("cpu", "arch", "cores", "model", "virtual")}
    asked = {"probes": PROBES, "runtime": runtime, "threads": threads, "versions": versions, "host": known}
    return Kept(FOLDER, asked)
