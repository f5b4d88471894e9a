"""Open an artifact in a worker, run it, compare it with its golden: the first questions of a benchmark and a doctor."""

from toolkit.bench.candidates import Candidate
from toolkit.bench.configuration import Configuration
from toolkit.bench.result import Opened
from toolkit.bench.tasks import CHECK, OPEN
from toolkit.worker.process import Process

# The module whose tasks the workers carry out.
TASKS = "toolkit.bench.tasks"
# Seconds that comparing an artifact with its golden may take: of one that is slow, fewer images do. By its first
# inference, which a coarse clock may give as 0.
CHECK_S = 20.0
LEAST_FIRST_S = 1e-6


def open_in(process: Process, configuration: Configuration, *, warm: bool) -> Opened:
    """Load an artifact and run it once, or until its times have settled; ArtifactError, in a sentence, if it fails."""
    candidate = configuration.candidate
    process.what = f"{candidate.path}: {candidate.runtime}"
    about = {"warm": warm, "spawned_ns": process.spawned_ns}
    answer, _ = process.ask({"do": OPEN, **about, **configuration.told})
    return Opened(**answer)


def check(process: Process, candidate: Candidate, images: int) -> tuple[str | None, tuple[str, ...]]:
    """Return how an artifact answers differently than recorded, and what it may compute differently on other CPUs.

    images: of the golden, at most.
    """
    question = {"do": CHECK, "path": str(candidate.path), "runtime": candidate.runtime}
    answer, _ = process.ask({**question, "listed": candidate.artifact is not None, "images": images})
    return answer["problem"], tuple(answer["notes"])


def images_in_time(opened: Opened) -> int:
    """Return how many images of a golden an artifact answers for in CHECK_S, by its first inference."""
    return max(1, int(CHECK_S / max(opened.first_s, LEAST_FIRST_S)))
