"""What to ship: the fastest artifact within the budgets, or what comes nearest to them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from toolkit import units
from toolkit.bench import front
from toolkit.bench.result import Result
from toolkit.errors import UsageError
from toolkit.interval import Interval
from toolkit.runtimes import REFERENCE_RUNTIME
from toolkit.verdict import Verdict


@dataclass(frozen=True)
class Requirements:
    """What an artifact may take and must reach; None if it does not matter.

    max_latency_s: of the median inference. min_accuracy: in [0, 1].
    """

    max_latency_s: float | None = None
    max_size_bytes: float | None = None
    min_accuracy: float | None = None

    @classmethod
    def parse(cls, latency: str | None, size: str | None, accuracy: float | None) -> "Requirements":
        """Return the budgets that a user gave: ``5ms``, ``500kB``, ``98.9`` %; UsageError if one cannot be read."""
        if accuracy is not None and not 0 < accuracy <= 100:
            raise UsageError(f"--min-accuracy is {accuracy}; it must be a percentage")
        return cls(
            max_latency_s=units.quantity(latency, units.TIMES, "--max-latency"),
            max_size_bytes=units.quantity(size, units.SIZES, "--max-size"),
            min_accuracy=None if accuracy is None else accuracy / 100,
        )

    def misses(self, result: Result) -> dict[str, float]:
        """Return the budgets that a result misses, each with the share by which it does."""
        latency_s, accuracy = result.median.value, result.accuracy or 0.0
        over = {
            "latency": latency_s / self.max_latency_s - 1 if self.max_latency_s else 0.0,
            "size": result.size_bytes / self.max_size_bytes - 1 if self.max_size_bytes else 0.0,
            "accuracy": 1 - accuracy / self.min_accuracy if self.min_accuracy else 0.0,
        }
        return {name: share for name, share in over.items() if share > 0}


def recommend(
    results: Sequence[Result],
    budgets: Requirements,
    speedup: Callable[[Result], Interval | None],
    *,
    kernels: str | None,
) -> list[dict[str, Any]]:
    """Return what to ship: one entry for each folder of artifacts.

    Artifacts that failed their verification, or that answer differently here than where they were exported, are left
    out. The entry is the fastest of the others within the budgets; of those that cannot be told from it, the smallest
    file, then the most accurate. None of the others beats it in latency, size and accuracy at once. If nothing fits,
    ``fits`` is false and the entry is the artifact that misses a budget by the smallest share. A folder without a
    manifest may hold models of different tasks: nothing is chosen there, unless a budget is given. ``front`` names the
    artifacts of known accuracy that no other equals or betters in all three.

    kernels: the kernel class of this machine; an accuracy that another kind of machine measured is told with that.
    """
    chosen = []
    for folder in dict.fromkeys(result.path.parent for result in results):
        here = [r for r in results if r.path.parent == folder and r.runtime != REFERENCE_RUNTIME]
        if budgets == Requirements() and all(r.format is None for r in here):  # no manifest lists them
            continue
        smallest = min((r.batch for r in here), default=1)
        here = [r for r in here if r.batch == smallest]
        allowed = [r for r in here if r.parity != Verdict.FAIL and r.golden is None]
        if not allowed:
            if here:
                chosen.append(_entry(here[0], f"nothing to ship: {_why_none(here)}", fits=False))
            continue
        fitting = [result for result in allowed if not budgets.misses(result)]
        if fitting:
            ties = front.tied(fitting)
            best = ties[0]
            rank = f"the smallest of the {len(ties)} fastest" if len(ties) > 1 else "the fastest"
            within = f" that fit of {len(allowed)}" if len(fitting) < len(allowed) else f" of {len(allowed)}"
            which = "the only one" if len(allowed) == 1 else f"{rank}{within}"
            why = f"{which} measured here: {_describe(best, speedup(best), kernels)}"
        else:
            best = min(allowed, key=lambda r: max(budgets.misses(r).values()))
            missed = ", ".join(_missed(best, *missed) for missed in budgets.misses(best).items())
            why = f"nothing fits; the nearest misses {missed}: {_describe(best, speedup(best), kernels)}"
        chosen.append(_entry(best, why, fits=bool(fitting), beside=front.front(front.contenders(here))))
    return chosen


def _why_none(results: Sequence[Result]) -> str:
    if all(result.parity == Verdict.FAIL for result in results):
        return "all failed their verification"
    otherwise = "answer differently here than their goldens say, which verify --golden shows; export them again"
    failed = sum(result.parity == Verdict.FAIL for result in results)
    return f"{failed} failed their verification, the others {otherwise}" if failed else f"all {otherwise}"


def _entry(result: Result, why: str, *, fits: bool, beside: Sequence[Result] = ()) -> dict[str, Any]:
    """Return what the document says of a choice; beside: the Pareto front that it was taken from."""
    entry = {"artifact": str(result.path), "runtime": result.runtime, "threads": result.threads, "why": why}
    return {**entry, "fits": fits, "front": [str(one.path) for one in beside]}


def _missed(result: Result, budget: str, share: float) -> str:
    unknown = budget == "accuracy" and result.accuracy is None
    return "accuracy, which is not known" if unknown else f"{budget} by {units.percent(share, '.1f')} of the limit"


def _describe(best: Result, speedup: Interval | None, kernels: str | None) -> str:
    parts = [f"{units.seconds(best.median.value)} per inference"]
    percent = int(100 * speedup.low) if speedup else 0  # cut off: it is a bound
    if percent > 100:
        parts.append(f"at least {percent / 100:.2f} times as fast as float32")
    parts.append(units.size(best.size_bytes))
    if best.parity is None:
        parts.append("not verified yet, run 'toolkit verify --save'")
    elif best.accuracy is not None:
        known = best.accuracy_measured_on is not None and best.accuracy_measured_on == kernels
        where = "" if known else f" measured on {best.accuracy_measured_on or 'a kind of CPU that was not recorded'}"
        how = "as far as its test set can tell" if best.parity == Verdict.INCONCLUSIVE else f"({best.parity})"
        parts.append(f"verified {how}, accuracy {units.percent(best.accuracy)}{where}")
    return ", ".join(parts)
