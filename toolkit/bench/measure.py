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
# Warm-up ends when both are reached: caches, branch predictors and the clock frequency have settled.
WARMUP_INFERENCES = 20
WARMUP_S = 0.2
# Fewest samples, however slow the artifact.
MIN_SAMPLES = 20
# Most samples: what one second of the fastest network of this project comes to, so that memory stays bounded.
MAX_SAMPLES = 200_000
# Share of the measuring time that goes to end-to-end samples.
END_TO_END_SHARE = 0.3
# Inputs in rotation.
ROTATION = 64


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
    session.set_input(inputs[0])
    before_first = clock()
    session.invoke()
    first_s = (clock() - before_first) / 1e9
    with _no_collections():
        _warm_up(session, inputs, clock)
        invoke = _time(session, inputs, seconds * (1 - END_TO_END_SHARE), clock, _time_invoke)
        end_to_end = _time(session, inputs, seconds * END_TO_END_SHARE, clock, _time_end_to_end)
    return Measured((loaded - start) / 1e9, first_s, invoke, end_to_end)


def _time_invoke(session: Session, values: NDArray[np.generic], clock: Clock) -> int:
    session.set_input(values)
    start = clock()
    session.invoke()
    return clock() - start


def _time_end_to_end(session: Session, values: NDArray[np.generic], clock: Clock) -> int:
    start = clock()
    session.set_input(values)
    session.invoke()
    session.read_output()
    return clock() - start


def _time(
    session: Session,
    inputs: list[NDArray[np.generic]],
    seconds: float,
    clock: Clock,
    sample: Callable[[Session, NDArray[np.generic], Clock], int],
) -> NDArray[np.int64]:
    samples: list[int] = []
    end = clock() + int(seconds * 1e9)
    while (clock() < end or len(samples) < MIN_SAMPLES) and len(samples) < MAX_SAMPLES:
        samples.append(sample(session, inputs[len(samples) % len(inputs)], clock))
    return np.array(samples, np.int64)


def _warm_up(session: Session, inputs: list[NDArray[np.generic]], clock: Clock) -> None:
    end = clock() + int(WARMUP_S * 1e9)
    done = 0
    while clock() < end or done < WARMUP_INFERENCES:
        session.set_input(inputs[done % len(inputs)])
        session.invoke()
        session.read_output()
        done += 1


def _inputs(session: Session, images: NDArray[np.uint8] | None, batch: int) -> list[NDArray[np.generic]]:
    """Return the batches to rotate through, in the artifact's own type."""
    shape = session.input.shape[1:]
    if images is not None and images.shape[1:] == shape:
        encoded = session.encode(images)
        rows = (np.arange(batch) + batch * turn for turn in range(ROTATION))
        return [np.ascontiguousarray(encoded[row % len(encoded)]) for row in rows]
    free = [size for size in shape if size is None]
    if free:
        raise ArtifactError(f"{session.path}: its input is {session.input.shape}; only the batch may be free")
    rng = np.random.default_rng(0)
    return [_random(rng, session.input, (batch, *(size for size in shape if size is not None))) for _ in range(8)]


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
