"""A fake session under a fake clock: the expected figures are exact."""

import gc
from pathlib import Path

import numpy as np
import pytest

from toolkit.bench import measure as module
from toolkit.bench.measure import END_TO_END, INVOKE, TimedModel, resolution_ns
from toolkit.convention import parse
from toolkit.errors import ArtifactError
from toolkit.manifest import TensorSpec
from toolkit.runtimes.base import Session

LOAD, SET, INVOKED, READ = 5_000_000, 3_000, 20_000, 2_000
FIRST = 7 * INVOKED


class Clock:
    """Time that passes only when someone works, or sleeps, or reads the clock (``tick`` ns)."""

    def __init__(self, tick=0):
        self.now, self.tick = 0, tick

    def __call__(self):
        self.now += self.tick
        return self.now

    def sleep(self, seconds):
        self.now += round(seconds * 1e9)


class FakeSession(Session):
    path = Path("fake")
    inputs = (TensorSpec("image", (None, 2, 2, 1), "uint8"),)
    outputs = (TensorSpec("probabilities", (None, 2), "float32"),)
    invoked = INVOKED

    def __init__(self, clock):
        self.clock, self.invocations, self.seen = clock, 0, []
        clock.now += LOAD

    def resize(self, batch):
        self.batch = batch

    def set_inputs(self, values):
        self.clock.now += SET
        self.seen.append(values[0])

    def invoke(self):
        self.clock.now += FIRST if self.invocations == 0 else self.invoked
        self.invocations += 1

    def read_outputs(self):
        self.clock.now += READ
        return [np.zeros((self.batch, 2), np.float32)]


def subject_of(session=FakeSession, images=None, batch=1, tick=0, convention=None):
    clock = Clock(tick)
    opened = []

    def open_session():
        opened.append(session(clock))
        return opened[0]

    subject = TimedModel(open_session, images, batch=batch, convention=convention, clock=clock, sleep=clock.sleep)
    return subject, opened[0], clock


def test_each_figure_of_a_process_measures_what_it_says():
    subject, _, _ = subject_of()
    assert (subject.load_s, subject.first_s) == (LOAD / 1e9, FIRST / 1e9)
    assert set(subject.block(INVOKE, 0.01)) == {INVOKED}
    assert set(subject.block(END_TO_END, 0.01)) == {SET + INVOKED + READ}


def test_a_block_takes_its_time_and_has_at_least_one_sample():
    subject, _, _ = subject_of()
    assert len(subject.block(INVOKE, 0.1)) == pytest.approx(0.1e9 / (SET + INVOKED), rel=0.01)
    assert len(subject.block(INVOKE, 1e-9)) == 1


def test_each_block_begins_with_inferences_that_are_not_counted():
    subject, session, _ = subject_of()
    before = session.invocations
    assert len(subject.block(INVOKE, 1e-9)) == 1
    assert session.invocations - before - 1 >= max(module.LEAD_INFERENCES, module.LEAD_S * 1e9 / (SET + INVOKED + READ))


def test_memory_is_bounded_for_a_fast_artifact(monkeypatch):
    monkeypatch.setattr(module, "MAX_SAMPLES", 50)
    assert len(subject_of()[0].block(INVOKE, 1.0)) == 50


def test_warm_up_reaches_its_time_and_its_count_and_settles():
    subject, session, clock = subject_of()
    start = clock.now
    assert subject.warm_up() is True
    assert clock.now - start >= module.WARMUP_S * 1e9
    assert session.invocations >= module.WARMUP_INFERENCES


def test_warm_up_goes_on_while_the_times_fall():
    class Cooling(FakeSession):
        """Throttled less and less for half a second."""

        def invoke(self):
            super().invoke()
            self.clock.now += max(0, 200_000 - self.clock.now // 2500)

    subject, _, clock = subject_of(Cooling)
    assert subject.warm_up() is True
    assert 0.4e9 < clock.now < 0.8e9


def test_a_warm_up_that_never_settles_says_so():
    class Restless(FakeSession):
        def invoke(self):
            super().invoke()
            self.clock.now += 10_000 * (self.clock.now // 20_000_000 % 7)

    subject, _, clock = subject_of(Restless)
    start = clock.now
    assert subject.warm_up() is False
    assert clock.now - start >= module.LONGEST_WARMUP_S * 1e9


def test_the_resolution_is_what_two_readings_are_apart():
    assert resolution_ns(Clock(tick=40)) == 40


@pytest.mark.parametrize(("tick", "loop"), [(0, 1), (100, 1), (200, 1), (210, 2), (1000, 5)])
def test_inferences_too_short_for_the_clock_are_timed_in_loops(tick, loop):
    """The clock must be read a hundred times finer than what it times."""
    subject, _, _ = subject_of(tick=tick)
    subject.warm_up()
    assert subject.loop == loop
    assert subject.block(INVOKE, 0.01)[0] == pytest.approx(INVOKED + tick / loop)
    assert subject.block(END_TO_END, 0.01)[0] == pytest.approx(SET + INVOKED + READ + tick / loop)


def test_a_paced_inference_is_timed_from_when_its_image_was_due():
    subject, _, _ = subject_of()
    once = SET + INVOKED + READ
    assert list(subject.paced(100, 0.1)) == [once] * 10

    class Slow(FakeSession):
        """Takes 15 ms of the 10 ms there are."""

        def invoke(self):
            super().invoke()
            self.clock.now += 15_000_000

    subject, _, _ = subject_of(Slow)
    once += 15_000_000
    waits = [once + number * (once - 10_000_000) for number in range(5)]
    assert list(subject.paced(100, 0.05)) == waits


def test_inputs_rotate_through_the_images():
    images = np.arange(10 * 4, dtype=np.uint8).reshape(10, 2, 2, 1)
    subject, session, _ = subject_of(images=images, batch=3)
    subject.block(INVOKE, 0.01)
    assert len({values.tobytes() for values in session.seen}) == 10
    assert {values.shape for values in session.seen} == {(3, 2, 2, 1)}


class FloatSession(FakeSession):
    inputs = (TensorSpec("image", (None, 2, 2, 1), "float32"),)


@pytest.mark.parametrize(("given", "most"), [(None, 1.0), ("0..255", 255.0), ("-1..1", 1.0)])
def test_images_become_what_the_artifact_takes(given, most):
    images = np.full((3, 2, 2, 1), 255, np.uint8)
    images[0] = 0
    _, session, _ = subject_of(FloatSession, images, convention=given and parse(given))
    least = -1.0 if given == "-1..1" else 0.0
    assert session.seen[0].dtype == np.float32
    assert session.seen[0].ravel().tolist() == [least] * 4
    _, session, _ = subject_of(FloatSession, images[1:], convention=given and parse(given))
    assert session.seen[0].ravel().tolist() == [most] * 4


def test_without_images_the_input_is_random_and_seeded():
    first, second = subject_of()[1], subject_of()[1]
    assert first.seen[0].dtype == np.uint8
    assert first.seen[0].tobytes() == second.seen[0].tobytes()


def test_an_input_of_unknown_size_is_refused():
    class Free(FakeSession):
        inputs = (TensorSpec("image", (None, None, 2, 1), "uint8"),)

    with pytest.raises(ArtifactError, match="only the batch, the first size, may be free"):
        subject_of(Free)


@pytest.mark.parametrize("enabled", [True, False])
def test_the_garbage_collector_is_off_while_timing_and_as_before_after(enabled):
    seen = []

    class Watching(FakeSession):
        def invoke(self):
            super().invoke()
            seen.append(gc.isenabled())

    before = gc.isenabled()
    (gc.enable if enabled else gc.disable)()
    try:
        subject, _, _ = subject_of(Watching)
        subject.block(INVOKE, 0.001)
        subject.paced(1000, 0.01)
        assert gc.isenabled() is enabled
        assert not any(seen[1:])
    finally:
        (gc.enable if before else gc.disable)()
