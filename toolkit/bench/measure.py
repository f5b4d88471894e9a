"""Time one loaded artifact, in blocks: each inference on its own if the clock can tell, else in loops.

The clock is injected, so that tests are exact.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from math import ceil

import numpy as np
from numpy.typing import NDArray

from toolkit.convention import Convention
from toolkit.errors import ArtifactError
from toolkit.extras import without_collecting
from toolkit.manifest import TensorSpec
from toolkit.runtimes.base import Session, batch_of, dequantize

Clock = Callable[[], int]
Sleep = Callable[[float], None]
# One array per input of the artifact.
Inputs = list[NDArray[np.generic]]
# What a block times: the inference alone; input set, inference and output read; the same at the pace of a camera, from
# the instant at which the image was due.
INVOKE, END_TO_END, PACED = "invoke", "end_to_end", "paced"

# Warm-up ends when count and time are reached and the last blocks agree: caches, branch predictors and the clock
# frequency have settled. It ends unsettled after the longest time.
WARMUP_INFERENCES = 20
WARMUP_S, LONGEST_WARMUP_S = 0.1, 1.0
WARMUP_BLOCK_S = 0.02
SETTLED_BLOCKS, SETTLED_SHARE = 3, 0.05
# Untimed inferences at the start of each block: the caches were the other artifacts' in between.
LEAD_INFERENCES, LEAD_S = 2, 0.002
# An inference is timed on its own if it takes this many times the resolution of the clock.
RESOLUTIONS = 100
RESOLUTION_READINGS = 1000
# Most samples of a block, so that memory stays bounded however fast the artifact and long the block.
MAX_SAMPLES = 200_000
# Inputs in rotation, real and random ones.
ROTATION = 64
RANDOM_ROTATION = 8
# How many of them are answered where answers are compared.
ANSWERED = 8


class TimedModel:
    """One artifact, loaded and run once: what is timed.

    batch: how many images an inference takes. real_inputs: whether the images are in rotation. load_s, first_s: loading
    it, and its first inference. loop: how many inferences are timed together, 1 where each is timed on its own. remark:
    how it was opened, if not as usual. takes: its inputs.
    """

    def __init__(
        self,
        open_session: Callable[[], Session],
        images: NDArray[np.uint8] | None,
        *,
        batch: int,
        convention: Convention | None = None,
        shapes: Mapping[str, Sequence[int]] | None = None,
        clock: Clock = time.perf_counter_ns,
        sleep: Sleep = time.sleep,
    ) -> None:
        """Load it and run it once.

        images: (N, H, W, C) uint8 to rotate through, or None for random input values. convention: what the artifact
        takes for them; None if nobody has said. shapes: of its inputs, by name, where more sizes are free than the
        batch.
        """
        self._clock, self._sleep = clock, sleep
        start = clock()
        self._session = open_session()
        self.load_s = (clock() - start) / 1e9
        self._session.convention = convention
        self._session.fix(shapes or {})
        self.remark, self.takes = self._session.remark, self._session.inputs
        self.batch = batch_of(self._session.inputs, batch, path=self._session.path)
        self._session.resize(self.batch)
        usable = None if images is None or not _takes(self._session, images) else images
        self.real_inputs = usable is not None
        self._inputs = (
            _random_inputs(self._session, self.batch) if usable is None else _real(self._session, usable, self.batch)
        )
        self._turn = 0
        self._session.set_inputs(self._inputs[0])
        start = clock()
        self._session.invoke()
        self.first_s = (clock() - start) / 1e9
        self.loop = 1

    def warm_up(self) -> bool:
        """Run until the times have settled, choose the loop, and say whether they did settle."""
        end = self._clock() + int(LONGEST_WARMUP_S * 1e9)
        least = self._clock() + int(WARMUP_S * 1e9)
        medians: list[float] = []
        done = 0
        while True:
            samples = self.block(INVOKE, WARMUP_BLOCK_S)
            done += len(samples)
            medians.append(float(np.median(samples)))
            last = medians[-SETTLED_BLOCKS:]
            settled = len(last) == SETTLED_BLOCKS and max(last) <= min(last) * (1 + SETTLED_SHARE)
            enough = done >= WARMUP_INFERENCES and self._clock() >= least
            if (settled and enough) or self._clock() >= end:
                least_ns = RESOLUTIONS * resolution_ns(self._clock)
                self.loop = max(1, ceil(least_ns / max(medians[-1], 1.0)))
                return settled

    def block(self, kind: str, seconds: float) -> NDArray[np.float64]:
        """Return the latencies of one block, ns an inference: as many as fit in the time, at least one."""
        time_one = {INVOKE: self._invoke_ns, END_TO_END: self._end_to_end_ns}[kind]
        with without_collecting():
            self._lead()
            samples: list[float] = []
            end = self._clock() + int(seconds * 1e9)
            while not samples or (self._clock() < end and len(samples) < MAX_SAMPLES):
                samples.append(time_one())
        return np.array(samples)

    def together(self, count: int, *, share: float = 0.0, kind: str = INVOKE) -> int:
        """Return the ns of ``count`` inferences, timed as one behind a lead-in.

        share: of busy work behind them, a slow-down of known size. kind: INVOKE, or END_TO_END.
        """
        run, clock, repeats = self.prepared() if kind == INVOKE else self._run, self._clock, range(count)
        for _ in range(LEAD_INFERENCES):
            run()
        start = clock()
        for _ in repeats:
            run()
        done = now = clock()
        # Of the time that they took, whatever else runs: a loop of so many turns would last another share where other
        # programs slow inferences and the loop differently.
        while now < done + round(share * (done - start)):
            now = clock()
        return now - start

    def answers(self) -> NDArray[np.float64]:
        """Return the real outputs for the first inputs in rotation, one after the other."""
        session, outputs = self._session, []
        for values in self._inputs[:ANSWERED]:
            session.set_inputs(values)
            session.invoke()
            for output, spec in zip(session.read_outputs(), session.outputs, strict=True):
                outputs.append(dequantize(output, spec).ravel())
        return np.concatenate(outputs).astype(np.float64)

    def prepared(self) -> Callable[[], object]:
        """Set the next input, and return the runtime's own call, which runs the inference alone."""
        self._session.set_inputs(self._next())
        return self._session.native_invoke

    def paced(self, rate: float, seconds: float) -> NDArray[np.float64]:
        """Return latencies at ``rate`` images a second, each from the instant at which its image was due.

        An image that has to wait for the one before counts the wait: a loop that only starts when it is ready would
        leave it out (G. Tene's "coordinated omission").
        """
        with without_collecting():
            self._lead()
            samples = []
            start = self._clock()
            for number in range(max(1, round(rate * seconds))):
                due = start + int(number / rate * 1e9)
                if (early := due - self._clock()) > 0:
                    self._sleep(early / 1e9)
                self._run()
                samples.append(float(self._clock() - due))
        return np.array(samples)

    def _lead(self) -> None:
        end = self._clock() + int(LEAD_S * 1e9)
        done = 0
        while done < LEAD_INFERENCES or self._clock() < end:
            self._run()
            done += 1

    def _run(self) -> None:
        self._session.set_inputs(self._next())
        self._session.invoke()
        self._session.read_outputs()

    def _next(self) -> Inputs:
        self._turn += 1
        return self._inputs[self._turn % len(self._inputs)]

    def _invoke_ns(self) -> float:
        invoke, clock = self.prepared(), self._clock
        if self.loop == 1:
            start = clock()
            invoke()
            return float(clock() - start)
        repeats = range(self.loop)
        start = clock()
        for _ in repeats:
            invoke()
        return (clock() - start) / self.loop

    def _end_to_end_ns(self) -> float:
        values = [self._next() for _ in range(self.loop)]
        session = self._session
        start = self._clock()
        for value in values:
            session.set_inputs(value)
            session.invoke()
            session.read_outputs()
        return (self._clock() - start) / self.loop


def resolution_ns(clock: Clock) -> float:
    """Return the smallest difference between two readings of the clock, in ns: nothing shorter can be timed."""
    readings = [clock() for _ in range(RESOLUTION_READINGS + 1)]
    return float(np.median(np.diff(readings)))


def _takes(session: Session, images: NDArray[np.uint8]) -> bool:
    return len(session.inputs) == 1 and session.convention.row_shape(session.input.shape) == images.shape[1:]


def _real(session: Session, images: NDArray[np.uint8], batch: int) -> list[Inputs]:
    """Return the inputs to rotate through, in the artifact's own type; no more of them are encoded than are used."""
    count = session.input.shape[0] or batch
    encoded = session.encode(session.convention.values(images[: count * ROTATION]))
    rows = (np.arange(count) + count * turn for turn in range(ROTATION))
    return [[np.ascontiguousarray(encoded[row % len(encoded)])] for row in rows]


def _random_inputs(session: Session, batch: int) -> list[Inputs]:
    """Return inputs to rotate through that say nothing, in the artifact's own types."""
    shapes = [tuple(size or 0 for size in spec.shape[1:]) for spec in session.inputs]
    if any(0 in shape for shape in shapes):
        given = ", ".join(f"{spec.name} {spec.shape}" for spec in session.inputs)
        raise ArtifactError(
            f"{session.path}: takes {given}; only the batch, the first size, may be free; "
            "'toolkit bench' and 'compare' take others by --shape NAME:1,3,224,224"
        )
    rng = np.random.default_rng(0)
    return [
        [
            _random(rng, spec, (spec.shape[0] or batch, *shape) if spec.shape else ())
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
