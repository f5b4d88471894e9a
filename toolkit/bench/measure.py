"""Measure one session: warm up, then time each inference on its own. The clock is injected, so tests are exact."""

import gc
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from toolkit.errors import ArtifactError
from toolkit.manifest import TensorSpec
from toolkit.runtimes.base import Session

Clock = Callable[[], int]
# One array per input of the artifact.
Inputs = list[NDArray[np.generic]]
# Warm-up ends when both are reached: caches, branch predictors and the clock frequency have settled.
WARMUP_INFERENCES = 20
WARMUP_S = 0.2
# Fewest samples, however slow the artifact.
MIN_SAMPLES = 20
# Most samples, so that memory stays bounded however fast the artifact and long the measurement.
MAX_SAMPLES = 2_000_000
# Share of the measuring time that goes to end-to-end samples.
END_TO_END_SHARE = 0.3
# Inputs in rotation, real and random ones.
ROTATION = 64
RANDOM_ROTATION = 8


@dataclass(frozen=True)
class Measured:
    """Raw latencies in nanoseconds, in the order of measurement, and the times of the first steps in seconds."""

    load_s: float
    first_s: float
    invoke_ns: NDArray[np.int64]
    end_to_end_ns: NDArray[np.int64]


def measure(
    open_session: Callable[[], Session],
    images: NDArray[np.uint8] | None,
    *,
    batch: int,
    seconds: float,
    clock: Clock = time.perf_counter_ns,
) -> Measured:
    """Load, run the first inference, warm up, and time: inference alone, then input set, inference and output read.

    images: (N, H, W, C) uint8 to rotate through, or None for random values of the input's type.
    """
    start = clock()
    session = open_session()
    loaded = clock()
    session.resize(batch)
    inputs = _inputs(session, images, batch)
    session.set_inputs(inputs[0])
    before_first = clock()
    session.invoke()
    first_s = (clock() - before_first) / 1e9
    with _no_collections():
        _warm_up(session, inputs, clock)
        invoke = _time(session, inputs, seconds * (1 - END_TO_END_SHARE), clock, _time_invoke)
        end_to_end = _time(session, inputs, seconds * END_TO_END_SHARE, clock, _time_end_to_end)
    return Measured((loaded - start) / 1e9, first_s, invoke, end_to_end)


def _time_invoke(session: Session, values: Inputs, clock: Clock) -> int:
    session.set_inputs(values)
    start = clock()
    session.invoke()
    return clock() - start


def _time_end_to_end(session: Session, values: Inputs, clock: Clock) -> int:
    start = clock()
    session.set_inputs(values)
    session.invoke()
    session.read_outputs()
    return clock() - start


def _time(
    session: Session,
    inputs: list[Inputs],
    seconds: float,
    clock: Clock,
    sample: Callable[[Session, Inputs, Clock], int],
) -> NDArray[np.int64]:
    samples: list[int] = []
    end = clock() + int(seconds * 1e9)
    while (clock() < end or len(samples) < MIN_SAMPLES) and len(samples) < MAX_SAMPLES:
        samples.append(sample(session, inputs[len(samples) % len(inputs)], clock))
    return np.array(samples, np.int64)


def _warm_up(session: Session, inputs: list[Inputs], clock: Clock) -> None:
    end = clock() + int(WARMUP_S * 1e9)
    done = 0
    while clock() < end or done < WARMUP_INFERENCES:
        session.set_inputs(inputs[done % len(inputs)])
        session.invoke()
        session.read_outputs()
        done += 1


def _inputs(session: Session, images: NDArray[np.uint8] | None, batch: int) -> list[Inputs]:
    """Return the inputs to rotate through, in the artifact's own types."""
    if images is not None and len(session.inputs) == 1 and images.shape[1:] == session.input.shape[1:]:
        encoded = session.encode(images)
        rows = (np.arange(batch) + batch * turn for turn in range(ROTATION))
        return [[np.ascontiguousarray(encoded[row % len(encoded)])] for row in rows]
    shapes = [tuple(size or 0 for size in spec.shape[1:]) for spec in session.inputs]
    if any(0 in shape for shape in shapes):
        given = ", ".join(f"{spec.name} {spec.shape}" for spec in session.inputs)
        raise ArtifactError(f"{session.path}: takes {given}; only the batch, the first size, may be free")
    rng = np.random.default_rng(0)
    return [
        [
            _random(rng, spec, (batch, *shape) if spec.shape else ())
            for spec, shape in zip(session.inputs, shapes, strict=True)
        ]
        for _ in range(RANDOM_ROTATION)
    ]


def _random(rng: np.random.Generator, spec: TensorSpec, shape: tuple[int, ...]) -> NDArray[np.generic]:
    dtype = np.dtype(spec.dtype)
    if np.issubdtype(dtype, np.integer):
        # Wide integers are indices of something: small ones are in range more often. Bytes are pixels.
        high = int(np.iinfo(dtype).max) + 1 if dtype.itemsize == 1 else 2
        return rng.integers(0, high, shape).astype(dtype)
    return rng.random(shape).astype(dtype)


@contextmanager
def _no_collections() -> Iterator[None]:
    """Keep the garbage collector out of the measurement."""
    enabled = gc.isenabled()
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()
