"""What the server has done, in Prometheus' text format (https://prometheus.io/docs/instrumenting/exposition_formats)."""

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Sequence

from toolkit.text import printable

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
# Upper bounds of the histograms' buckets, in seconds.
BOUNDS_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)


class Histogram:
    """How many of what was observed lie at or below each of BOUNDS_S, and their sum."""

    def __init__(self) -> None:
        self.counts = [0] * (len(BOUNDS_S) + 1)
        self.sum_s = 0.0

    def observe(self, seconds: float) -> None:
        """Count one."""
        self.counts[bisect_left(BOUNDS_S, seconds)] += 1
        self.sum_s += seconds

    def lines(self, name: str, labels: str = "") -> Iterator[str]:
        """Yield the samples; the counts add up."""
        below = 0
        for bound, count in zip((*map(str, BOUNDS_S), "+Inf"), self.counts, strict=True):
            below += count
            upper = f'le="{bound}"'
            yield f"{name}_bucket{_labelled(labels, upper)} {below}"
        yield f"{name}_sum{_labelled(labels)} {self.sum_s:.9g}"
        yield f"{name}_count{_labelled(labels)} {below}"


class ServiceMetrics:
    """The counts of one server. artifacts: their names."""

    def __init__(self, artifacts: Sequence[str]) -> None:
        self.requests: Counter[tuple[str, int]] = Counter()
        self.request_s = Histogram()
        self.working = 0
        self.images: Counter[str] = Counter()
        self.looks: Counter[str] = Counter()
        self.failures: Counter[str] = Counter()
        self.inference_s = {artifact: Histogram() for artifact in artifacts}

    def requested(self, route: str, status: int, seconds: float) -> None:
        """Count a request that was answered."""
        self.requests[route, status] += 1
        self.request_s.observe(seconds)

    def inferred(self, artifact: str, images: int, looks: int, seconds: float) -> None:
        """Count a batch. images: whole ones, and digits of photos; looks: what the artifact has run for them."""
        self.images[artifact] += images
        self.looks[artifact] += looks
        self.inference_s[artifact].observe(seconds)

    def failed(self, artifact: str) -> None:
        """Count a worker that died."""
        self.failures[artifact] += 1

    def text(self) -> str:
        """Return all of it."""
        return "\n".join(self._lines()) + "\n"

    def _lines(self) -> Iterator[str]:
        yield from _heading("toolkit_requests_total", "counter", "Requests that were answered.")
        for (route, status), count in sorted(self.requests.items()):
            yield f'toolkit_requests_total{{route="{route}",status="{status}"}} {count}'
        yield from _heading("toolkit_request_seconds", "histogram", "From a request's head to its answer.")
        yield from self.request_s.lines("toolkit_request_seconds")
        yield from _heading("toolkit_requests_working", "gauge", "Requests for a prediction that are worked on.")
        yield f"toolkit_requests_working {self.working}"
        for name, counts, text in (
            ("toolkit_images_total", self.images, "Images, and digits of photos, that an artifact has classified."),
            ("toolkit_looks_total", self.looks, "Looks that it ran: one at an image, several at a photo's digit."),
            ("toolkit_worker_failures_total", self.failures, "Workers of an artifact that died."),
        ):
            yield from _heading(name, "counter", text)
            yield from (f"{name}{_labelled(_artifact(one))} {counts[one]}" for one in self.inference_s)
        yield from _heading("toolkit_inference_seconds", "histogram", "Of each batch, the way to the worker included.")
        for artifact, histogram in self.inference_s.items():
            yield from histogram.lines("toolkit_inference_seconds", _artifact(artifact))


def _heading(name: str, kind: str, text: str) -> Iterator[str]:
    yield f"# HELP {name} {text}"
    yield f"# TYPE {name} {kind}"


def _labelled(*labels: str) -> str:
    given = ",".join(label for label in labels if label)
    return given and f"{{{given}}}"


def _artifact(name: str) -> str:
    escaped = str(printable(name)).replace("\\", r"\\").replace('"', r"\"")
    return f'artifact="{escaped}"'
