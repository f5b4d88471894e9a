"""What to ship: the fastest artifact within the budgets, or what comes nearest to them."""

import re
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from toolkit import units
from toolkit.bench import statistics
from toolkit.bench.result import Result
from toolkit.bench.statistics import Interval
from toolkit.errors import UsageError
from toolkit.runtimes import REFERENCE_RUNTIME

_TIMES = {"s": 1.0, "ms": 1e-3, "us": 1e-6, "µs": 1e-6}
_SIZES = {"B": 1.0, "kB": 1e3, "MB": 1e6, "GB": 1e9}


@dataclass(frozen=True)
class Budgets:
    """What an artifact may take and must reach; None where it does not matter.

    max_latency_s: of the median inference. min_accuracy: in [0, 1].
    """

    max_latency_s: float | None = None
    max_size_bytes: float | None = None
    min_accuracy: float | None = None

    def misses(self, result: Result) -> dict[str, float]:
        """Return the budgets that a result misses, each with the share by which it does."""
        latency_s, accuracy = result.median.value, result.accuracy or 0.0
        over = {
            "latency": latency_s / self.max_latency_s - 1 if self.max_latency_s else 0.0,
            "size": result.size_bytes / self.max_size_bytes - 1 if self.max_size_bytes else 0.0,
            "accuracy": 1 - accuracy / self.min_accuracy if self.min_accuracy else 0.0,
        }
        return {name: share for name, share in over.items() if share > 0}

    def to_json(self) -> dict[str, Any]:
        """Return what a record says of them."""
        return asdict(self)


def parse_budgets(latency: str | None, size: str | None, accuracy: float | None) -> Budgets:
    """Return the budgets that a user gave: ``5ms``, ``500kB``, ``98.9`` %; UsageError where one cannot be read."""
    if accuracy is not None and not 0 < accuracy <= 100:
        raise UsageError(f"--min-accuracy is {accuracy}; it must be a percentage")
    return Budgets(
        max_latency_s=_quantity(latency, _TIMES, "--max-latency"),
        max_size_bytes=_quantity(size, _SIZES, "--max-size"),
        min_accuracy=None if accuracy is None else accuracy / 100,
    )


def recommend(
    results: Sequence[Result], budgets: Budgets, speedup: Callable[[Result], Interval | None]
) -> list[dict[str, Any]]:
    """Return what to ship, one entry per folder of artifacts, of those that did not fail their verification.

    That is the fastest within the budgets; among those whose intervals overlap with its, the smallest file. It lies on
    the Pareto front of latency and size of what the budgets leave. Where nothing fits, ``fits`` is false and the entry
    is the one that misses a budget by the smallest share.
    """
    chosen = []
    for folder in dict.fromkeys(result.path.parent for result in results):
        allowed = [
            r
            for r in results
            if r.path.parent == folder and r.batch == 1 and r.runtime != REFERENCE_RUNTIME and r.parity != "fail"
        ]
        if not allowed:
            continue
        fitting = [result for result in allowed if not budgets.misses(result)]
        if fitting:
            ties = tied(fitting)
            best = ties[0]
            rank = f"the smallest of the {len(ties)} fastest" if len(ties) > 1 else "the fastest"
            within = f" that fit of {len(allowed)}" if len(fitting) < len(allowed) else f" of {len(allowed)}"
            why = f"{rank}{within} measured here: {_describe(best, speedup(best))}"
        else:
            best = min(allowed, key=lambda r: max(budgets.misses(r).values()))
            missed = ", ".join(f"{name} by {share:.1%}" for name, share in budgets.misses(best).items())
            why = f"nothing fits; the nearest misses {missed}: {_describe(best, speedup(best))}"
        entry = {"artifact": str(best.path), "runtime": best.runtime, "threads": best.threads, "why": why}
        chosen.append({**entry, "fits": bool(fitting)})
    return chosen


def tied(results: Sequence[Result]) -> list[Result]:
    """Return the fastest and those whose intervals overlap with its: the smallest first, then the fewest threads."""
    fastest = min(results, key=lambda r: r.median.value)
    ties = [r for r in results if r.median.low <= fastest.median.high]
    return sorted(ties, key=lambda r: (r.size_bytes, r.threads))


def _describe(best: Result, speedup: Interval | None) -> str:
    parts = [f"{units.seconds(best.median.value)} per inference"]
    if speedup and statistics.verdict(speedup) == statistics.FASTER:
        parts.append(f"{speedup.value:.1f} times as fast as float32")
    parts.append(units.size(best.size_bytes))
    if best.parity is None:
        parts.append("not verified yet, run 'toolkit verify --save'")
    elif best.accuracy is not None:
        parts.append(f"verified ({best.parity}), accuracy {units.percent(best.accuracy)}")
    return ", ".join(parts)


def _quantity(text: str | None, scales: dict[str, float], option: str) -> float | None:
    if text is None:
        return None
    found = re.fullmatch(r"([0-9.]+) ?([A-Za-zµ]+)", text.strip())
    try:
        value = float(found[1]) * scales[found[2]] if found else 0.0
    except (ValueError, KeyError):
        value = 0.0
    if value <= 0:
        raise UsageError(f"{option} is '{text}'; it must be a number and a unit: {', '.join(scales)}")
    return value
