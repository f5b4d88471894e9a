"""One measured configuration: its raw latencies, the starts of its processes, and every figure derived from them."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from toolkit import units
from toolkit.bench import statistics
from toolkit.bench.pairs import Pairs
from toolkit.bench.statistics import Blocks, Samples
from toolkit.files import atomic
from toolkit.interval import Interval
from toolkit.verdict import Verdict

BASELINE_QUANTIZATION = "float32"
KINDS = ("invoke", "end_to_end", "paced")
# What a file of samples has of pairs, behind "paired_".
PAIRED = ("reference", "candidate", "lengths")


@dataclass(frozen=True)
class Opened:
    """The start of one process. cold_s: from its start to its first inference. loop: inferences timed together.

    real_inputs: whether those of a golden are in rotation; otherwise they are random. remark: how the runtime opened
    the artifact, if not as it would by itself. batch: images of an inference; None in records from before it was kept.
    """

    load_s: float
    first_s: float
    cold_s: float
    peak_rss_bytes: int | None
    added_rss_bytes: int | None
    loop: int
    settled: bool
    real_inputs: bool
    remark: str | None = None
    batch: int | None = None


@dataclass(frozen=True)
class Mark:
    """A turn of a process, both counted from 0, in which something changed on the machine, and what."""

    process: int
    turn: int
    reason: str


@dataclass(frozen=True)
class Paced:
    """Latencies at the pace of a camera. percentiles: by percent; None with too few samples."""

    n: int
    median_s: float
    percentiles_s: dict[int, float | None]
    max_s: float

    def to_json(self) -> dict[str, Any]:
        """Return what a record says of them."""
        return {"n": self.n, "median_s": self.median_s, **_named(self.percentiles_s), "max_s": self.max_s}


@dataclass(frozen=True, kw_only=True, eq=False)
class ResultFacts:
    """What a record says of one measured configuration as it is; all else is derived.

    sha256: of the file; None in records from before it was kept. format, quantization, parity, accuracy: what the
    manifest says of the artifact, if one lists it. accuracy_measured_on: the kernel class of the machine that measured
    the accuracy, if it is recorded. golden: how the artifact answers differently here than where it was exported, None
    where it does not or has no golden. notes: what may come out otherwise on another kind of CPU. samples: the name of
    the file that has them.
    """

    sha256: str | None = None
    size_bytes: int
    format: str | None
    quantization: str | None
    parity: Verdict | None
    accuracy: float | None
    accuracy_measured_on: str | None = None
    golden: str | None = None
    notes: tuple[str, ...] = ()
    runtime: str
    threads: int
    batch: int
    samples: str

    def facts(self) -> dict[str, Any]:
        """Return them by name."""
        return {one.name: getattr(self, one.name) for one in fields(ResultFacts)}


@dataclass(frozen=True, kw_only=True, eq=False)
class Result(ResultFacts):
    """One measured configuration: raw latencies by block, and its processes; all figures are derived from them.

    marks: blocks in which something changed on the machine; they are left in. pairs: blocks of it that alternate with
    those of its float32 original; None for that itself, and in records from before they were kept.
    """

    path: Path
    invoke: Blocks
    end_to_end: Blocks
    paced: Blocks | None
    opened: tuple[Opened, ...]
    marks: tuple[Mark, ...]
    pairs: Pairs | None = None

    @cached_property
    def median(self) -> Interval:
        """The median latency of one inference, input and output not counted."""
        return statistics.median(self.invoke)

    @cached_property
    def floor(self) -> Interval:
        """What an inference takes where nothing else disturbs the machine."""
        return statistics.floor(self.invoke)

    @property
    def marked(self) -> dict[str, int]:
        """How many blocks are marked, by what changed on the machine."""
        return dict(Counter(mark.reason for mark in self.marks))

    @property
    def one_by_one(self) -> bool:
        """Whether each inference was timed on its own, so that there are percentiles."""
        return all(opened.loop == 1 for opened in self.opened)

    @property
    def is_baseline(self) -> bool:
        """Whether the others of its format are compared with it."""
        return self.quantization == BASELINE_QUANTIZATION

    def same_setting(self, other: "Result") -> bool:
        """Say whether two results may be compared: one folder, format, runtime, thread count and batch size."""
        configurations = [(r.path.parent, r.format, r.runtime, r.threads, r.batch) for r in (self, other)]
        return configurations[0] == configurations[1]

    @property
    def warnings(self) -> list[str]:
        """Return what a reader must know."""
        warnings = [
            f"p{percent} withheld, it needs {needed} samples: measure longer (--seconds)"
            for percent, needed in statistics.SAMPLES_FOR.items()
            if self.one_by_one and len(self.invoke.samples) < needed
        ]
        if self.paced is not None:
            warnings += [
                f"p{percent} at the pace of a camera withheld, it needs {needed} samples: more --processes or --rate"
                for percent, needed in statistics.SAMPLES_FOR.items()
                if len(self.paced.samples) < needed
            ]
        if not self.one_by_one:
            warnings.append("percentiles withheld: an inference is too short for this clock to be timed on its own")
        if len(self.opened) < statistics.LEAST_PROCESSES:
            warnings.append("too few processes: the interval does not hold what differs from process to process")
        warnings += sorted({opened.remark for opened in self.opened if opened.remark})
        if not all(opened.real_inputs for opened in self.opened):
            warnings.append("random inputs: no golden of its own is beside it; 'toolkit export' writes one")
        if unsettled := sum(not opened.settled for opened in self.opened):
            warnings.append(f"{unsettled} of {len(self.opened)} processes had not settled when the warm-up ended")
        return warnings

    @cached_property
    def end_to_end_median(self) -> Interval:
        """The median of setting the input, one inference, and reading the output."""
        return statistics.median(self.end_to_end)

    @property
    def images_per_s(self) -> float:
        """Images a second, input and output counted."""
        return self.batch / self.end_to_end_median.value

    @property
    def percentiles_s(self) -> dict[int, float | None]:
        """By percent; None with too few samples, or if an inference is too short to be timed on its own."""
        if not self.one_by_one:
            return dict.fromkeys(statistics.SAMPLES_FOR)
        return _percentiles(self.invoke.samples)

    @property
    def load_s(self) -> float:
        """The median time of opening the file."""
        return float(np.median([opened.load_s for opened in self.opened]))

    @property
    def first_s(self) -> float:
        """The median time of the first inference."""
        return float(np.median([opened.first_s for opened in self.opened]))

    @property
    def cold_s(self) -> float:
        """The median time from the start of a process to the end of its first inference."""
        return float(np.median([opened.cold_s for opened in self.opened]))

    @property
    def peak_rss_bytes(self) -> int | None:
        """The most memory that a process took; None if that is not known."""
        return max((o.peak_rss_bytes for o in self.opened if o.peak_rss_bytes is not None), default=None)

    @property
    def added_rss_bytes(self) -> int | None:
        """The median of the memory that the artifact added to its runtime; None if that is not known."""
        added = [opened.added_rss_bytes for opened in self.opened if opened.added_rss_bytes is not None]
        return int(np.median(added)) if added else None

    @property
    def at_pace(self) -> Paced | None:
        """The figures at the pace of a camera; None if that was not measured."""
        if self.paced is None:
            return None
        samples = self.paced.samples
        return Paced(len(samples), float(np.median(samples)), _percentiles(samples), float(samples.max()))

    def figures(self) -> dict[str, Any]:
        """Return what a record says of all that is computed from the raw samples and the starts of the processes."""
        at_pace = self.at_pace
        return {
            "median_s": self.median.value,
            "median_ci95_s": [self.median.low, self.median.high],
            **_named(self.percentiles_s),
            "floor_s": self.floor.value,
            "floor_ci95_s": [self.floor.low, self.floor.high],
            "outliers": statistics.outliers(self.invoke.samples),
            "load_s": self.load_s,
            "first_s": self.first_s,
            "cold_s": self.cold_s,
            "end_to_end_median_s": self.end_to_end_median.value,
            "end_to_end_ci95_s": [self.end_to_end_median.low, self.end_to_end_median.high],
            "images_per_s": self.images_per_s,
            "paced": at_pace.to_json() if at_pace else None,
            "peak_rss_bytes": self.peak_rss_bytes,
            "added_rss_bytes": self.added_rss_bytes,
        }

    def write_samples(self, folder: Path) -> None:
        """Write the raw latencies, in seconds, and the lengths of their blocks."""
        arrays: dict[str, Any] = {}
        for name in KINDS:
            blocks: Blocks | None = getattr(self, name)
            if blocks is not None:
                arrays |= {f"{name}_s": blocks.samples, f"{name}_lengths": blocks.lengths}
        if self.pairs is not None:
            arrays |= {f"paired_{name}": getattr(self.pairs, name) for name in PAIRED}
        with atomic(folder / self.samples) as temporary:
            np.savez_compressed(temporary, allow_pickle=False, **arrays)

    def describe(self) -> dict[str, Any]:
        """Return what was measured, and how."""
        return {
            "artifact": str(self.path),
            **self.facts(),
            "notes": list(self.notes),
            "n": len(self.invoke.samples),
            "processes": [asdict(opened) for opened in self.opened],
            "blocks": int(self.invoke.lengths.size),
            "paired": self.pairs.to_json() if self.pairs else None,
            "marked": self.marked,
            "marks": [asdict(mark) for mark in self.marks],
        }


def names(results: Sequence[Result]) -> list[str]:
    """Return the name of each, with threads and images of an inference if they are not 1."""
    configurations = [
        "".join(f", {number} {what}" for number, what in ((r.threads, "threads"), (r.batch, "images")) if number > 1)
        for r in results
    ]
    short = units.short_names([result.path for result in results])
    return [name + configuration for name, configuration in zip(short, configurations, strict=True)]


def _percentiles(samples: Samples) -> dict[int, float | None]:
    return {percent: statistics.percentile(samples, percent) for percent in statistics.SAMPLES_FOR}


def _named(percentiles_s: dict[int, float | None]) -> dict[str, float | None]:
    return {f"p{percent}_s": value_s for percent, value_s in percentiles_s.items()}
