"""The record of a benchmark: results with their raw samples, what they mean, and what to ship."""

from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from toolkit import units
from toolkit.bench import statistics
from toolkit.bench.statistics import Interval, Samples
from toolkit.files import write_json
from toolkit.host import Host
from toolkit.manifest import Artifact, Manifest

RECORD = "record.json"
BASELINE_QUANTIZATION = "float32"
# The keys of a result that hold what was measured; null under emulation.
FIGURES = (
    "median_s",
    "median_ci95_s",
    "p90_s",
    "p99_s",
    "load_s",
    "first_s",
    "end_to_end_median_s",
    "peak_rss_bytes",
    "speedup",
    "speedup_ci95",
    "verdict",
)


@dataclass(frozen=True)
class Result:
    """One measured configuration. invoke_s and end_to_end_s are the raw samples; all figures are derived from them."""

    path: Path
    manifest: Manifest | None
    runtime: str
    threads: int
    batch: int
    samples: str
    invoke_s: Samples
    end_to_end_s: Samples
    load_s: float
    first_s: float
    peak_rss_bytes: int | None

    @cached_property
    def median(self) -> Interval:
        """The median latency of one inference, input and output not counted."""
        return statistics.median(self.invoke_s)

    @property
    def artifact(self) -> Artifact | None:
        """The manifest's entry, where there is one."""
        entries = self.manifest.artifacts if self.manifest else ()
        return next((entry for entry in entries if entry.path == self.path.name), None)

    @property
    def is_reference(self) -> bool:
        """Whether this is the Keras original of a manifest."""
        return self.manifest is not None and self.path.name == self.manifest.reference["path"]

    @property
    def is_baseline(self) -> bool:
        """Whether the others of its format are held against it."""
        return self.artifact is not None and self.artifact.quantization == BASELINE_QUANTIZATION

    def same_setting(self, other: "Result") -> bool:
        """Say whether two results may be compared: one folder, format, runtime, thread count and batch size."""
        settings = [
            (r.path.parent, r.artifact.format if r.artifact else None, r.runtime, r.threads, r.batch)
            for r in (self, other)
        ]
        return settings[0] == settings[1]

    @property
    def warnings(self) -> list[str]:
        """Return what a reader must know."""
        return [
            f"p{percent} withheld, it needs {needed} samples: measure longer (--seconds)"
            for percent, needed in statistics.SAMPLES_FOR.items()
            if len(self.invoke_s) < needed
        ]


@dataclass
class Record:
    """A benchmark while it grows. failures: why an artifact could not be measured, by its path."""

    folder: Path
    host: Host
    started: str
    seconds: float
    versions: dict[str, str]
    results: list[Result] = field(default_factory=list)
    failures: dict[str, str] = field(default_factory=dict)

    def baseline(self, result: Result) -> Result | None:
        """Return the float32 result that ``result`` is compared with; None for itself and where there is none."""
        if result.artifact is None or result.is_baseline:
            return None
        return next((r for r in self.results if r.is_baseline and r.same_setting(result)), None)

    def speedup(self, result: Result) -> Interval | None:
        """Return how many times faster than its baseline a result is."""
        baseline = self.baseline(result)
        return statistics.speedup(baseline.invoke_s, result.invoke_s) if baseline else None

    def recommended(self) -> list[dict[str, Any]]:
        """Return what to ship, one entry per folder of artifacts: the fastest that did not fail its verification.

        Among those whose intervals overlap with the fastest one's, the smallest file wins.
        """
        chosen = []
        for folder in dict.fromkeys(result.path.parent for result in self.results):
            allowed = [
                r
                for r in self.results
                if r.path.parent == folder and r.batch == 1 and not r.is_reference and _verdict(r) != "fail"
            ]
            if not allowed or self.host.emulated:
                continue
            fastest = min(allowed, key=lambda r: r.median.value)
            ties = [r for r in allowed if r.median.low <= fastest.median.high]
            best = min(ties, key=lambda r: (r.path.stat().st_size, r.threads))
            chosen.append(
                {
                    "artifact": str(best.path),
                    "runtime": best.runtime,
                    "threads": best.threads,
                    "why": self._why(best, len(allowed), len(ties)),
                }
            )
        return chosen

    def _why(self, best: Result, measured: int, ties: int) -> str:
        rank = f"the smallest of the {ties} fastest" if ties > 1 else "the fastest"
        parts = [f"{rank} of {measured} measured here: {units.seconds(best.median.value)} per inference"]
        speedup = self.speedup(best)
        if speedup and statistics.verdict(speedup) == statistics.FASTER:
            parts.append(f"{speedup.value:.1f} times as fast as float32")
        parts.append(units.size(best.path.stat().st_size))
        verified = best.artifact.verified if best.artifact else None
        if verified is None:
            parts.append("not verified yet, run 'toolkit verify --save'")
        elif verified.get("accuracy") is not None:
            parts.append(f"verified ({verified['verdict']}), accuracy {units.percent(verified['accuracy'])}")
        return ", ".join(parts)

    def to_json(self) -> dict[str, Any]:
        """Return the document of ``toolkit bench --json`` and of the record file."""
        recommendations = self.recommended()
        return {
            "schema": 1,
            "command": "bench",
            "started": self.started,
            "seconds": self.seconds,
            "host": self.host.to_json(),
            "versions": self.versions,
            "results": [self._result_json(result) for result in self.results],
            "failures": self.failures,
            "recommended": recommendations[0] if recommendations else None,
            "recommendations": recommendations,
            "record": str(self.folder),
        }

    def save(self) -> None:
        """Write the record file atomically."""
        write_json(self.folder / RECORD, self.to_json())

    def _result_json(self, result: Result) -> dict[str, Any]:
        described = {
            "artifact": str(result.path),
            "runtime": result.runtime,
            "threads": result.threads,
            "batch": result.batch,
            "n": len(result.invoke_s),
            "samples": result.samples,
        }
        if self.host.emulated:  # emulated time is no latency
            return {
                **described,
                **dict.fromkeys(FIGURES),
                "warnings": ["emulated: it runs, and no latency is given"],
            }
        speedup = self.speedup(result)
        return {
            **described,
            "median_s": result.median.value,
            "median_ci95_s": [result.median.low, result.median.high],
            "p90_s": statistics.percentile(result.invoke_s, 90),
            "p99_s": statistics.percentile(result.invoke_s, 99),
            "load_s": result.load_s,
            "first_s": result.first_s,
            "end_to_end_median_s": statistics.median(result.end_to_end_s).value,
            "peak_rss_bytes": result.peak_rss_bytes,
            "speedup": speedup.value if speedup else None,
            "speedup_ci95": [speedup.low, speedup.high] if speedup else None,
            "verdict": statistics.verdict(speedup) if speedup else "baseline" if result.is_baseline else None,
            "warnings": result.warnings,
        }


def _verdict(result: Result) -> str | None:
    verified = result.artifact.verified if result.artifact else None
    return str(verified["verdict"]) if verified else None
