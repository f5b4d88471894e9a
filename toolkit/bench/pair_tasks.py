"""What a worker does for a comparison: open artifacts side by side, and time them in short blocks that alternate."""

import os
import resource
import time
from dataclasses import asdict
from typing import Any

import numpy as np

from toolkit.bench import settings
from toolkit.bench.measure import TimedModel
from toolkit.bench.tasks import Answer, images_of, open_subject
from toolkit.extras import without_collecting
from toolkit.worker.child import Task

# Seconds to wait behind a block of several threads beside sides of one: they look for work for some more milliseconds.
REST_S = 0.02
# Seconds after which a block is not timed again, though it lost the core: a long block loses it every time.
MOST_AGAIN_S = 0.05


def _open(
    kept: dict[str, Any],
    content: bytes,
    *,
    side: int,
    share: float,
    padding: int,
    core: int | None,
    seconds: float,
    kind: str,
    inputs: str | None,
    runtime: str,
    setting: str | None,
    **artifact: Any,
) -> Answer:
    """Open an artifact and run it for some seconds; return what an inference takes, and what the artifact takes.

    side: what it is called from now on. share: of busy work behind its inferences. padding: bytes to take first, so
    that memory lies otherwise than in the next process. core: the only one to run on; None for any. kind: what is
    timed.
    """
    if core is not None:
        os.sched_setaffinity(0, {core})
    kept.setdefault("padding", []).append(bytearray(padding))
    subject = open_subject(images_of(inputs), runtime=runtime, setting=setting, **artifact)
    typical_ns = float(np.median(subject.block(kind, seconds)))
    rest_s = REST_S if setting and settings.get(runtime, setting).threads > 1 else 0.0

    def take(count: int) -> float:
        """Time a block of inferences, with the work behind them: ns an inference.

        A block that lost the core is timed again: otherwise the slower side, whose blocks are longer, would look slower
        still.
        """
        end = time.monotonic() + MOST_AGAIN_S
        before = None
        while before is None or (_preemptions() != before and time.monotonic() < end):
            before = _preemptions()
            taken_ns = subject.together(count, share=share, kind=kind)
        if rest_s:
            time.sleep(rest_s)
        return taken_ns / count

    kept.setdefault("sides", {})[side] = subject, take
    return {"typical_ns": typical_ns, "inputs": [asdict(spec) for spec in subject.takes], "remark": subject.remark}, b""


def _preemptions() -> int:
    """Return how often the system has taken the core from this thread, which could have gone on."""
    return resource.getrusage(resource.RUSAGE_THREAD).ru_nivcsw


def _take(kept: dict[str, Any], content: bytes, *, order: list[int], count: int) -> Answer:
    """Time a block of ``count`` inferences of each side that ``order`` names: ns an inference, as float64."""
    takes = [kept["sides"][side][1] for side in order]
    with without_collecting():
        taken = [take(count) for take in takes]
    return {}, np.array(taken).tobytes()


def _answer(kept: dict[str, Any], content: bytes, *, side: int) -> Answer:
    """Return the outputs of a side for its first inputs, as float64."""
    subject: TimedModel = kept["sides"][side][0]
    return {}, subject.answers().tobytes()


OPEN, TAKE, ANSWER = "open", "take", "answer"
TASKS: dict[str, Task] = {OPEN: _open, TAKE: _take, ANSWER: _answer}
