"""What a worker does for a comparison: open artifacts side by side, and time them in short blocks that alternate."""

import os
import time
from collections import deque
from dataclasses import asdict
from statistics import median
from typing import Any

import numpy as np

from toolkit.bench import busy
from toolkit.bench.measure import INVOKE, Subject, no_collections
from toolkit.bench.tasks import Answer, images_of, open_subject
from toolkit.worker.child import Task

# By how many of its last blocks it is known how much busy work is a share of what a side does.
RECENT = 15


class _Side:
    """One artifact. share: of busy work behind its inferences; a known slow-down, to test the comparison by."""

    def __init__(self, subject: Subject, share: float, inference_ns: float, turn_ns: float) -> None:
        self._subject, self._share = subject, share
        self._inference_ns, self._turn_ns = (deque([first], maxlen=RECENT) for first in (inference_ns, turn_ns))

    def take(self, count: int) -> float:
        """Time a block of ``count`` inferences, with the work behind them: ns an inference."""
        turns = round(self._share * count * median(self._inference_ns) / median(self._turn_ns)) if self._share else 0
        inferences_ns, work_ns = self._subject.together(count, turns)
        self._inference_ns.append(inferences_ns / count)
        if turns:  # beside inferences it may take longer than by itself: their instructions can slow the clock
            self._turn_ns.append(work_ns / turns)
        return (inferences_ns + work_ns) / count


def _open(
    kept: dict[str, Any],
    content: bytes,
    *,
    side: int,
    share: float,
    padding: int,
    core: int | None,
    seconds: float,
    inputs: str | None,
    **artifact: Any,
) -> Answer:
    """Open an artifact and run it for some seconds; return what an inference takes, and what the artifact takes.

    side: what it is called from now on. share: of busy work behind its inferences. padding: bytes to take first, so
    that memory lies otherwise than in the next process. core: the only one to run on; None for any.
    """
    if core is not None:
        os.sched_setaffinity(0, {core})
    kept.setdefault("padding", []).append(bytearray(padding))
    subject = open_subject(images_of(inputs), **artifact)
    typical_ns = float(np.median(subject.block(INVOKE, seconds)))
    turn_ns = busy.turn_ns(time.perf_counter_ns)
    kept.setdefault("sides", {})[side] = _Side(subject, share, typical_ns, turn_ns)
    return {"typical_ns": typical_ns, "inputs": [asdict(spec) for spec in subject.takes], "remark": subject.remark}, b""


def _take(kept: dict[str, Any], content: bytes, *, order: list[int], count: int) -> Answer:
    """Time a block of ``count`` inferences of each side that ``order`` names: ns an inference, as float64."""
    sides = [kept["sides"][side] for side in order]
    with no_collections():
        taken = [side.take(count) for side in sides]
    return {}, np.array(taken).tobytes()


OPEN, TAKE = "open", "take"
TASKS: dict[str, Task] = {OPEN: _open, TAKE: _take}
