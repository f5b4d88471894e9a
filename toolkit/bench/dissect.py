"""What a worker measures of an artifact beside its latency: its prefixes, one by one, and what its runtime can do.

A runtime's own profiler is not used. LiteRT's Python package gives access to none, and ONNX Runtime's adds 5 to 10 µs
to each operator, more than a small model takes in all: cut-off copies take turns instead, and nothing is added.
"""

import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from toolkit import locks
from toolkit.bench.measure import INVOKE, Clock, TimedModel
from toolkit.convention import Convention
from toolkit.runtimes.base import RuntimeModule, Session
from toolkit.runtimes.base.graph import FLOAT32, INT8, Shapes

# Turns of the prefixes, the first of which warms up, and seconds of all turns of one.
TURNS, FEWEST_TURNS = 11, 4
PREFIX_S = 0.05
# What is too much to be cut up: each prefix holds the weights, and runs for at least a few inferences a turn.
MOST_BYTES = 1_000_000_000
LONGEST_S = 20.0
INFERENCES_A_TURN = 4
# Seconds of a block of a probe, and how many turns; the fastest block counts.
PROBE_BLOCK_S, PROBE_TURNS = 0.02, 10
# The probe that is bound by arithmetic: so many rows that each weight is used often, weights that fit into the caches.
COMPUTE_ROWS, COMPUTE_WIDTH = 256, 512
# Those bound by memory: one row, so that each weight is used once; bytes of the weights.
MEMORY_BYTES = (1 << 18, 1 << 20, 1 << 22, 1 << 24)


def profile(
    module: RuntimeModule,
    path: Path,
    images: NDArray[np.uint8] | None,
    *,
    threads: int,
    batch: int,
    timed: bool,
    convention: Convention | None = None,
    shapes: Shapes | None = None,
    clock: Clock = time.perf_counter_ns,
) -> dict[str, Any]:
    """Return operators and times of prefixes, as the document of ``Profile``. shapes: of inputs, by name."""
    operators = [node.operator for node in module.nodes(path, batch=batch, shapes=shapes)]
    document: dict[str, Any] = {"operators": [asdict(operator) for operator in operators], "prefixes_s": None}
    if not timed:
        return {**document, "untimed": "emulated: no times"}
    if path.stat().st_size * (len(operators) + 1) > MOST_BYTES:
        return {**document, "untimed": f"its prefixes would take more than {MOST_BYTES:,} bytes"}
    sessions = module.prefixes(path, threads=threads)
    subjects = [_subject(session, images, convention, batch, clock, shapes) for session in sessions]
    if not subjects:
        return {**document, "untimed": "its runtime has no operators that could be timed"}
    a_turn_s = INFERENCES_A_TURN * sum(subject.first_s for subject in subjects)
    turns = min(TURNS, int(LONGEST_S / a_turn_s))
    if turns < FEWEST_TURNS:
        return {**document, "untimed": f"its prefixes would take longer than {LONGEST_S:.0f} s"}
    return {**document, "prefixes_s": _take_turns(subjects, turns), "untimed": None}


def _take_turns(subjects: Sequence[TimedModel], turns: int) -> list[float]:
    """Return the median latency of each prefix, in seconds."""
    rng = np.random.default_rng(0)
    samples: list[list[NDArray[np.float64]]] = [[] for _ in subjects]
    for turn in range(turns):
        for position in rng.permutation(len(subjects)):
            block = subjects[position].block(INVOKE, PREFIX_S / turns)
            if turn:
                samples[position].append(block)
    return [float(np.median(np.concatenate(blocks))) / 1e9 for blocks in samples]


def probe(module: RuntimeModule, *, threads: int) -> dict[str, Any]:
    """Return what a runtime does at best, by arithmetic, as the document of ``Roofs``."""
    peaks = {}
    for arithmetic, item_bytes in ((FLOAT32, 4), (INT8, 1)):
        widths = [round((size / item_bytes) ** 0.5) for size in MEMORY_BYTES]
        shapes = [(COMPUTE_ROWS, COMPUTE_WIDTH), *((1, width) for width in widths)]
        seconds = _best_s(module, arithmetic, shapes, threads)
        if seconds:
            macs = [rows * width * width for rows, width in shapes]
            peaks[arithmetic] = {
                "macs_per_s": macs[0] / seconds[0],
                "bytes_per_s": [
                    [n * item_bytes, n * item_bytes / s] for n, s in zip(macs[1:], seconds[1:], strict=True)
                ],
            }
    return peaks


def _best_s(
    module: RuntimeModule, arithmetic: str, shapes: Sequence[tuple[int, int]], threads: int
) -> list[float] | None:
    """Return the best latency of dense layers, (rows, width) each, the call not counted; None without such a probe."""
    pairs = []
    with locks.scratch() as folder:
        for rows, width in shapes:
            path = folder / f"{rows}-{width}{module.SUFFIXES[0]}"
            if not module.write_probe(path, arithmetic=arithmetic, rows=rows, width=width):
                return None
            sessions = module.prefixes(path, threads=threads)
            pairs.append([_subject(session, None, None, rows) for session in (sessions[0], sessions[-1])])
    best = np.full((len(shapes), 2), np.inf)
    for _ in range(PROBE_TURNS):  # spread over time: a disturbance passes
        for number, pair in enumerate(pairs):
            for end, subject in enumerate(pair):
                best[number, end] = min(best[number, end], float(np.median(subject.block(INVOKE, PROBE_BLOCK_S))))
    return [max(whole - call, 1.0) / 1e9 for call, whole in best]


def _subject(
    session: Session,
    images: NDArray[np.uint8] | None,
    convention: Convention | None,
    batch: int,
    clock: Clock = time.perf_counter_ns,
    shapes: Shapes | None = None,
) -> TimedModel:
    return TimedModel(lambda: session, images, batch=batch, convention=convention, clock=clock, shapes=shapes)
