"""Two artifacts in blocks that alternate within milliseconds, and how many times faster one is by them."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from toolkit.bench import statistics
from toolkit.bench.statistics import Samples
from toolkit.interval import Interval


@dataclass(frozen=True, eq=False)
class Pairs:
    """Seconds an inference, block by block: ``reference[i]`` was timed within milliseconds of ``candidate[i]``.

    reference, candidate: (pairs,), process after process. lengths: (processes,), how many pairs are of each.
    """

    reference: Samples
    candidate: Samples
    lengths: NDArray[np.int64]

    @classmethod
    def from_processes(cls, processes: Sequence[Samples]) -> "Pairs":
        """Return the pairs of processes; each: (pairs, 2), of the reference and of the candidate."""
        every = np.concatenate(processes)
        return cls(every[:, 0], every[:, 1], np.array([len(pairs) for pairs in processes]))

    @cached_property
    def logarithms(self) -> Samples:
        """The logarithm of the speed-up that each process found, (processes,): the median of those of its pairs."""
        ratios = np.log(self.reference / self.candidate)
        return np.array([np.median(part) for part in np.split(ratios, np.cumsum(self.lengths)[:-1])])

    @property
    def speedup(self) -> Interval:
        """How many times faster the candidate is."""
        return statistics.paired_speedup(self.logarithms)

    def first(self, processes: int) -> "Pairs":
        """Return the pairs of the first processes."""
        lengths = self.lengths[:processes]
        count = int(lengths.sum())
        return Pairs(self.reference[:count], self.candidate[:count], lengths)

    def to_json(self) -> dict[str, int]:
        """Return what a record says of them; the blocks are with the raw samples."""
        return {"processes": len(self.lengths), "pairs": len(self.reference)}
