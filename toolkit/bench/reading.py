"""Read the record of a benchmark, checked: it may be a device's, or one that somebody gave away."""

from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, NotRequired, TypedDict, TypeVar

import numpy as np

from toolkit.bench.advice import Requirements
from toolkit.bench.conditions import ADVICE
from toolkit.bench.explanation import WhyEntry
from toolkit.bench.instructions import Instructions
from toolkit.bench.pairs import Pairs
from toolkit.bench.result import KINDS, PAIRED, Mark, Opened, Result, ResultFacts
from toolkit.bench.statistics import RESAMPLES, Blocks, Samples
from toolkit.bench.tuned import Tuned
from toolkit.errors import ArtifactError
from toolkit.files import FileName, documents, require_no_link
from toolkit.files.arrays import Arrays, Expected, opened_npz
from toolkit.files.memory import check_memory
from toolkit.host import Host, State

T = TypeVar("T")

RECORD = "record.json"
_SUFFIX = ".npz"
_WHAT = "a benchmark record"
# No latency is shorter or longer, in seconds; what is computed of those between stays finite.
SHORTEST_S, LONGEST_S = 1e-12, 1e6
# Fewest processes whose pairs have a spread.
LEAST_PAIRED = 2
# What a draw of the bootstrap takes of each block: the number of a process and of a turn, a median, and a copy of it.
_DRAW_BYTES = 32
# What a sample comes to take: its value, whether it is a latency, and copies that are sorted.
_SAMPLE_BYTES = 32
_SAMPLES = Expected(("float64",), (None,))


class SamplesName(FileName):
    """The name of a file of samples; ValueError for another."""

    __slots__ = ()

    def __new__(cls, name: str) -> "SamplesName":
        """Check and make it."""
        if not name.endswith(_SUFFIX):
            raise ValueError(f"{name!r} is no file of samples")
        return super().__new__(cls, name)  # type: ignore[return-value]


class PairedEntry(TypedDict):
    """Of how many processes a result has pairs."""

    processes: int


@dataclass(frozen=True, kw_only=True)
class BenchResultEntry(ResultFacts):
    """What a result is made of again, its samples beside; its figures are derived. median_s: null under emulation."""

    artifact: str
    samples: SamplesName
    processes: list[Opened]
    median_s: float | None = 0.0
    marks: list[Mark]
    paired: PairedEntry | None = None
    why: WhyEntry | None = None
    instructions: Instructions | None = None
    tuned: Tuned | None = None
    others: dict[str, Any] = field(default_factory=dict)


class HostEntry(TypedDict):
    """What changes on a machine; beside it stands what ``Host`` has."""

    before: State | None
    after: State | None


class BestEntry(TypedDict):
    """The settings of its runtime that an artifact was timed with, and that with which it is surely faster."""

    tried: list[dict[str, Any]]
    best: str | None


class NamedEntry(TypedDict):
    """Which artifact a result is of."""

    artifact: str
    sha256: NotRequired[str | None]
    tuned: NotRequired[BestEntry | None]


class RecommendationEntry(TypedDict):
    """What to ship of a folder."""

    artifact: str
    fits: bool
    why: str


class OutcomeEntry(TypedDict):
    """What a benchmark came to: all that is asked of a record to recommend by."""

    record: str
    host: dict[str, Any]
    results: list[NamedEntry]
    failures: dict[str, str]
    interrupted: bool
    recommendations: list[RecommendationEntry]


class BenchRecordEntry(TypedDict):
    """What a record must have to be made again."""

    record: str
    started: str
    seconds: float
    rate: float | None
    seed: int
    host: HostEntry
    versions: dict[str, str]
    results: list[BenchResultEntry]
    failures: dict[str, str]
    crashed: bool
    interrupted: bool
    budgets: Requirements
    recommendations: list[RecommendationEntry]


def document(path: Path, kind: type[T]) -> T:
    """Return the document of a record, checked; ArtifactError if it is none. kind: what is asked of it."""
    return documents.read(path, kind, what=_WHAT, missing="no such file; 'toolkit bench' writes record.json")


def host(record: BenchRecordEntry, path: Path) -> Host:
    """Return the machine that a record was made on."""
    names = {one.name for one in fields(Host)}
    facts: dict[str, Any] = {name: value for name, value in record["host"].items() if name in names}
    return documents.convert(facts, Host, path, what=_WHAT)


def result(folder: Path, entry: BenchResultEntry) -> Result:
    """Return a result with its raw samples."""
    if entry.batch < 1:
        raise ArtifactError(f"{folder / RECORD}: {entry.samples} is of a batch below 1")
    if unknown := sorted({mark.reason for mark in entry.marks} - ADVICE.keys()):
        raise ArtifactError(f"{folder / RECORD}: {entry.samples} has a mark of no known reason: {unknown[0]!r}")
    if not entry.processes and entry.median_s is not None:
        raise ArtifactError(f"{folder / RECORD}: {entry.samples} is of no process")
    path = folder / entry.samples
    require_no_link(path)
    with opened_npz(path, what="the samples of a benchmark") as arrays:
        by_kind = {kind: _blocks(arrays, kind, path) for kind in KINDS if f"{kind}_s" in arrays.names}
        # They are saved before the record that tells of them: a kill in between leaves those of further processes.
        told = len(entry.processes)
        kinds = {kind: blocks.first(told) if told else blocks for kind, blocks in by_kind.items()}
        missing = [kind for kind in KINDS[:2] if kind not in kinds]
        if missing:
            raise ValueError(f"it lacks {missing[0]}_s")
        pairs = _pairs(arrays, entry.paired["processes"]) if entry.paired else None
    return Result(
        path=Path(entry.artifact),
        **entry.facts(),
        invoke=kinds[KINDS[0]],
        end_to_end=kinds[KINDS[1]],
        paced=kinds.get(KINDS[2]),
        opened=tuple(entry.processes),
        marks=tuple(entry.marks),
        pairs=pairs,
    )


def _blocks(arrays: Arrays, kind: str, path: Path) -> Blocks:
    """Return the samples of a kind; ValueError if their blocks are not what they are said to be."""
    lengths = Expected(("int64",), (None, None))
    blocks = np.prod(arrays.header(f"{kind}_lengths", lengths).shape, dtype=object)
    check_memory(_DRAW_BYTES * RESAMPLES * blocks, what=f"{path}: a bootstrap of it", error=ArtifactError)
    (most,) = arrays.header(f"{kind}_s", _SAMPLES).shape
    check_memory(_SAMPLE_BYTES * most, what=f"{path}: sorting its {most:,} samples of {kind}", error=ArtifactError)
    by_block = arrays.read(f"{kind}_lengths")
    if not by_block.size or by_block.min() < 1 or by_block.max() > most:
        raise ValueError(f"'{kind}_lengths' are no lengths of blocks")
    if int(by_block.sum()) != most:
        raise ValueError(f"'{kind}_lengths' add up to {by_block.sum()}, there are {most} samples")
    measured = Blocks(arrays.read(f"{kind}_s"), by_block)
    _check_latencies(measured.samples, f"{kind}_s")
    return measured


def _pairs(arrays: Arrays, processes: int) -> Pairs:
    """Return the pairs of the first processes; ValueError if they are not what they are said to be."""
    most, others = (arrays.header(f"paired_{name}", _SAMPLES).shape[0] for name in PAIRED[:2])
    lengths = arrays.read(f"paired_{PAIRED[2]}", Expected(("int64",), (None,)))
    if lengths.size < LEAST_PAIRED or lengths.min() < 1 or lengths.max() > most or not lengths.sum() == most == others:
        raise ValueError("'paired_lengths' are not those of the pairs")
    reference, candidate = (arrays.read(f"paired_{name}") for name in PAIRED[:2])
    for name, samples in zip(PAIRED, (reference, candidate), strict=False):
        _check_latencies(samples, f"paired_{name}")
    if not LEAST_PAIRED <= processes <= lengths.size:
        raise ValueError(f"it has pairs of {lengths.size} processes, not of {processes}")
    return Pairs(reference, candidate, lengths).first(processes)


def _check_latencies(samples: Samples, name: str) -> None:
    if not ((samples > SHORTEST_S) & (samples < LONGEST_S)).all():
        raise ValueError(f"'{name}' holds what is no latency in seconds")
