"""The record of a benchmark: results with their raw samples, what they mean, and what to ship."""

from collections import Counter
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from toolkit.bench import advice, explanation, passing_on, reading, statistics
from toolkit.bench.advice import Requirements
from toolkit.bench.explanation import Explanation
from toolkit.bench.instructions import Instructions
from toolkit.bench.reading import RECORD, BenchRecordEntry
from toolkit.bench.result import Result
from toolkit.bench.tuned import Tuned
from toolkit.errors import UsageError
from toolkit.files import documents, remove_partials, write_json
from toolkit.host import Host, State
from toolkit.interval import Interval
from toolkit.rebuilt import BENCHMARK, Rebuilt

# The keys of a result that hold what was measured; null under emulation.
FIGURES = (
    "median_s", "median_ci95_s", "floor_s", "floor_ci95_s", "p90_s", "p95_s", "p99_s", "outliers",
    "load_s", "first_s", "cold_s", "end_to_end_median_s", "end_to_end_ci95_s", "images_per_s", "paced",
    "peak_rss_bytes", "added_rss_bytes", "speedup", "speedup_ci95", "at_least", "verdict",
)  # fmt: skip
# What is derived, too, and records lack from before it was computed.
LATER = ("floor_s", "floor_ci95_s", "tuned")
EMULATED = "emulated: it ran once, and no latency is given"
APART = "speed-up from blocks of separate processes, which see less than pairs of one process"


@dataclass
class Record:
    """A benchmark while it grows. failures: why an artifact could not be measured, by its path.

    crashed: whether the process of one of those died, hung or took too much memory. rate: images a second of the paced
    figures. seed: of the order of turns. why: what is explained of a result, by its file of samples. instructions: of
    one inference of an artifact, and tuned: the settings of its runtime that were tried, both by its path.
    """

    folder: Path
    host: Host
    started: str
    seconds: float
    versions: dict[str, str]
    results: list[Result] = field(default_factory=list)
    failures: dict[str, str] = field(default_factory=dict)
    interrupted: bool = False
    before: State | None = None
    after: State | None = None
    budgets: Requirements = field(default_factory=Requirements)
    crashed: bool = False
    rate: float | None = None
    seed: int = 0
    why: dict[str, Explanation] = field(default_factory=dict)
    instructions: dict[Path, Instructions] = field(default_factory=dict)
    tuned: dict[Path, Tuned] = field(default_factory=dict)

    @property
    def marked(self) -> dict[str, int]:
        """How many blocks are marked, by what changed on the machine."""
        return dict(Counter(mark.reason for result in self.results for mark in result.marks))

    def baseline(self, result: Result) -> Result | None:
        """Return the float32 result that ``result`` is compared with; None for itself and where there is none."""
        if result.quantization is None or result.is_baseline:
            return None
        return next((r for r in self.results if r.is_baseline and r.same_setting(result)), None)

    def speedup(self, result: Result) -> Interval | None:
        """Return how many times faster than its baseline a result is: by pairs, or by turns in records without them."""
        baseline = self.baseline(result)
        if baseline is None:
            return None
        return result.pairs.speedup if result.pairs else statistics.speedup(baseline.invoke, result.invoke)

    def warnings(self, result: Result) -> list[str]:
        """Return what a reader of a result must know."""
        if self.host.emulated:
            return [EMULATED]
        apart = self.baseline(result) is not None and result.pairs is None
        return [*result.warnings, *([APART] if apart else [])]

    @property
    def recommended(self) -> dict[str, Any] | None:
        """What to ship on this machine: the first of ``recommendations`` that fits the budgets; None for none."""
        return _fitting(self.recommendations)

    @property
    def recommendations(self) -> list[dict[str, Any]]:
        """What to ship on this machine, one entry per folder of artifacts; nothing under emulation."""
        if self.host.emulated:
            return []
        return advice.recommend(self.results, self.budgets, self.speedup, kernels=self.host.kernels)

    def to_json(self) -> dict[str, Any]:
        """Return the document of ``toolkit bench --json`` and of the record file."""
        recommendations = self.recommendations
        return {
            "schema": 1,
            "command": "bench",
            "started": self.started,
            "seconds": self.seconds,
            "rate": self.rate,
            "seed": self.seed,
            "host": {
                **self.host.to_json(),
                "before": asdict(self.before) if self.before else None,
                "after": asdict(self.after) if self.after else None,
                "marked": self.marked,
            },
            "versions": self.versions,
            "results": [self._result_json(result) for result in self.results],
            "failures": self.failures,
            "crashed": self.crashed,
            "budgets": asdict(self.budgets),
            "recommended": _fitting(recommendations),
            "recommendations": recommendations,
            "record": str(self.folder),
            "interrupted": self.interrupted,
        }

    def save(self) -> None:
        """Write the record file atomically; it tells no folder of the user's (``passing_on``)."""
        write_json(self.folder / RECORD, {**self._to_pass_on().to_json(), "record": self.folder.name})

    def _to_pass_on(self) -> "Record":
        failed = {key: passing_on.path_of_failure(key) for key in self.failures}
        names = passing_on.names([*(result.path for result in self.results), *failed.values()])

        def told(text: str, path: Path) -> str:
            return text.replace(str(path), str(names[path]))

        return replace(
            self,
            results=[replace(result, path=names[result.path]) for result in self.results],
            failures={told(key, failed[key]): told(why, failed[key]) for key, why in self.failures.items()},
            instructions={names.get(path, path): one for path, one in self.instructions.items()},
            tuned={names.get(path, path): one for path, one in self.tuned.items()},
        )

    def _result_json(self, result: Result) -> dict[str, Any]:
        beside = {"instructions": self.instructions.get(result.path), "tuned": self.tuned.get(result.path)}
        described = {
            **result.describe(),
            **{name: entry.to_json() if entry else None for name, entry in beside.items()},
        }
        explained = self.why.get(result.samples)
        if self.host.emulated:  # emulated time is no latency
            why = explained.to_json(None) if explained else None
            figures = dict.fromkeys(FIGURES)
            return {**described, "processes": [], **figures, "warnings": self.warnings(result), "why": why}
        speedup = self.speedup(result)
        return {
            **described,
            **result.figures(),
            "speedup": speedup.value if speedup else None,
            "speedup_ci95": [speedup.low, speedup.high] if speedup else None,
            "at_least": statistics.at_least(speedup) if speedup else None,
            "verdict": statistics.verdict(speedup) if speedup else "baseline" if result.is_baseline else None,
            "warnings": self.warnings(result),
            "why": explained.to_json(result.median.value) if explained else None,
        }


def new_folder(parent: Path) -> Path:
    """Return a folder for a record, named by the time, for ``make`` to make."""
    remove_partials(parent, "*/")  # no benchmark comes back to the folder of one that was killed
    return parent / datetime.now().strftime("%Y%m%d-%H%M%S")


def make(folder: Path) -> Path:
    """Make the folder of a record, under a further number if another, begun in the same second, has made it.

    UsageError if the folder that it is to lie in is something else: a file, or a link that leads nowhere.
    """
    parent = folder.parent
    try:
        parent.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError) as error:
        raise UsageError(f"{parent}: not a folder, and none can be made there; choose another --output") from error
    number, made = 1, folder
    while True:
        try:
            made.mkdir()
            return made
        except FileExistsError:
            number += 1
            made = folder.with_name(f"{folder.name}-{number}")


def _fitting(recommendations: list[dict[str, Any]]) -> dict[str, Any] | None:
    return next((one for one in recommendations if one["fits"]), None)


def read(folder: Path) -> Record:
    """Read a record with its raw samples; ArtifactError if it is none or was damaged."""
    path = folder / RECORD
    document = reading.document(path, BenchRecordEntry)
    entries = [(Path(one.artifact), one) for one in document["results"]]
    return Record(
        folder=folder,
        host=reading.host(document, path),
        started=document["started"],
        seconds=document["seconds"],
        rate=document["rate"],
        seed=document["seed"],
        versions=document["versions"],
        results=[reading.result(folder, entry) for _, entry in entries],
        failures=document["failures"],
        crashed=document["crashed"],
        interrupted=document["interrupted"],
        before=document["host"]["before"],
        after=document["host"]["after"],
        budgets=document["budgets"],
        why={one.samples: explanation.read(one.why, path) for _, one in entries if one.why},
        instructions={path: one.instructions for path, one in entries if one.instructions},
        tuned={path: one.tuned for path, one in entries if one.tuned},
    )


def recompute(folder: Path) -> Rebuilt:
    """Rebuild every figure of a record from its raw samples. Raises ArtifactError if the folder has no record."""
    record = read(folder)
    rebuilt = record.to_json()
    document: dict[str, Any] = documents.load(folder / RECORD, what="a benchmark record")
    pairs = [
        (f"{entry['artifact']}: {name}", entry.get(name), value)
        for entry, again in zip(document["results"], rebuilt["results"], strict=True)
        for name, value in again.items()
        if name in (*FIGURES, "n", "blocks", "tuned") and (name in entry or name not in LATER)
    ]
    pairs.append(("what to ship", document["recommendations"], rebuilt["recommendations"]))
    return Rebuilt(
        path=folder / RECORD,
        kind=BENCHMARK,
        artifacts=len({result.path for result in record.results}),
        samples=sum(len(result.invoke.samples) for result in record.results),
        figures=len(pairs),
        differences=tuple(f"{name} is {says}, its samples say {value}" for name, says, value in pairs if says != value),
    )
