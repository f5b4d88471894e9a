"""What a worker does for a comparison: open artifacts side by side, and time them in short blocks that alternate."""

import os
import time
from collections import deque
from dataclasses import asdict
from statistics import median
from typing import Any

import numpy as np

from toolkit.bench import busy, settings
from toolkit.bench.measure import INVOKE, Subject, no_collections
from toolkit.bench.tasks import Answer, images_of, open_subject
from toolkit.worker.child import Task

# By how many of its last blocks it is known how much busy work is a share of what a side does.
RECENT = 15
# Seconds to wait behind a block of several threads beside sides of one: they look for work for some more milliseconds.
REST_S = 0.02


class _Side:
    """One artifact. share: of busy work behind its inferences; a known slow-down, to test the comparison by.

    kind: what is timed. rest_s: to wait behind each block.
    """

    def __init__(
        self,
        subject: Subject,
        share: float,
        inference_ns: float,
        turn_ns: float,
        *,
        kind: str = INVOKE,
        rest_s: float = 0.0,
    ) -> None:
        self.subject, self._share, self._kind, self._rest_s = subject, share, kind, rest_s
        self._inference_ns, self._turn_ns = (deque([first], maxlen=RECENT) for first in (inference_ns, turn_ns))

    def take(self, count: int) -> float:
        """Time a block of ``count`` inferences, with the work behind them: ns an inference."""
        turns = round(self._share * count * median(self._inference_ns) / median(self._turn_ns)) if self._share else 0
        inferences_ns, work_ns = self.subject.together(count, turns, kind=self._kind)
        time.sleep(self._rest_s)
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
    turn_ns = busy.turn_ns(time.perf_counter_ns)
    rest_s = REST_S if setting and settings.get(runtime, setting).threads > 1 else 0.0
    kept.setdefault("sides", {})[side] = _Side(subject, share, typical_ns, turn_ns, kind=kind, rest_s=rest_s)
    return {"typical_ns": typical_ns, "inputs": [asdict(spec) for spec in subject.takes], "remark": subject.remark}, b""


def _take(kept: dict[str, Any], content: bytes, *, order: list[int], count: int) -> Answer:
    """Time a block of ``count`` inferences of each side that ``order`` names: ns an inference, as float64."""
    sides = [kept["sides"][side] for side in order]
    with no_collections():
        taken = [side.take(count) for side in sides]
    return {}, np.array(taken).tobytes()


def _answer(kept: dict[str, Any], content: bytes, *, side: int) -> Answer:
    """Return the outputs of a side for its first inputs, as float64."""
    found: _Side = kept["sides"][side]
    return {}, found.subject.answers().tobytes()


OPEN, TAKE, ANSWER = "open", "take", "answer"
TASKS: dict[str, Task] = {OPEN: _open, TAKE: _take, ANSWER: _answer}
