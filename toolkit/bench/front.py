"""Accuracy against latency against size: the artifacts that can be compared, and those that none beats."""

from collections.abc import Sequence

from toolkit.bench import statistics
from toolkit.bench.result import Result
from toolkit.bench.statistics import SpeedVerdict
from toolkit.verdict import Verdict


def tied(results: Sequence[Result]) -> list[Result]:
    """Return the fastest, and those of the same record that are not slower with 95 % confidence.

    The smallest file comes first; of those, the most accurate, and then that with the fewest threads.
    """
    fastest = min(results, key=lambda r: r.median.value)
    ties = [
        one
        for one in results
        if one is fastest or statistics.verdict(statistics.speedup(fastest.invoke, one.invoke)) != SpeedVerdict.SLOWER
    ]
    return sorted(ties, key=lambda one: (one.size_bytes, -(one.accuracy or 0.0), one.threads))


def contenders(results: Sequence[Result]) -> list[Result]:
    """Return one result of each artifact whose accuracy is known: the fastest of one image; of ties, fewest threads.

    That of one that answers differently here than where it was measured is not known.
    """
    known = [one for one in results if one.batch == 1 and one.accuracy is not None and one.golden is None]
    return [tied([r for r in known if r.path == path])[0] for path in dict.fromkeys(r.path for r in known)]


def front(contenders: Sequence[Result]) -> list[Result]:
    """Return the results that no other equals or betters in accuracy, latency and size at once, failed ones left out.

    Accuracies come from one test set; artifacts that failed their verification are no candidates.
    """
    sound = [result for result in contenders if result.parity != Verdict.FAIL]
    return [result for result in sound if not any(_beats(other, result) for other in sound)]


def _beats(one: Result, other: Result) -> bool:
    """Say whether ``one`` is nowhere worse and somewhere better than ``other``."""
    pairs = list(zip(_goodness(one), _goodness(other), strict=True))
    return all(left >= right for left, right in pairs) and any(left > right for left, right in pairs)


def _goodness(result: Result) -> tuple[float, float, float]:
    return result.accuracy or 0.0, -result.median.value, -float(result.size_bytes)
