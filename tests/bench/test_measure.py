"""A fake session under a fake clock: the expected figures are exact."""

import gc

import numpy as np
import pytest

from toolkit.bench import measure as module
from toolkit.bench.measure import measure
from toolkit.errors import ArtifactError
from toolkit.manifest import TensorSpec
from toolkit.runtimes.base import Session

LOAD, SET, INVOKE, READ = 5_000_000, 3_000, 20_000, 2_000
WARMED_BY = 7 * INVOKE


class Clock:
    """Time that passes only when someone works."""

    now = 0

    def __call__(self):
        return self.now


class FakeSession(Session):
    path = "fake"
    inputs = (TensorSpec("image", (None, 2, 2, 1), "uint8"),)
    outputs = (TensorSpec("probabilities", (None, 2), "float32"),)

    def __init__(self, clock):
        self.clock, self.invocations, self.seen = clock, 0, []
        clock.now += LOAD

    def resize(self, batch):
        self.batch = batch

    def set_inputs(self, values):
        self.clock.now += SET
        self.seen.append(values[0])

    def invoke(self):
        self.clock.now += WARMED_BY if self.invocations == 0 else INVOKE
        self.invocations += 1

    def read_outputs(self):
        self.clock.now += READ
        return [np.zeros((self.batch, 2), np.float32)]


def run(session_of=FakeSession, images=None, batch=1, seconds=0.01):
    clock = Clock()
    sessions = []

    def open_session():
        sessions.append(session_of(clock))
        return sessions[0]

    return measure(open_session, images, batch=batch, seconds=seconds, clock=clock), sessions[0]


def test_each_figure_measures_what_it_says():
    measured, _ = run()
    assert measured.load_s == LOAD / 1e9
    assert measured.first_s == WARMED_BY / 1e9
    assert set(measured.invoke_ns) == {INVOKE}
    assert set(measured.end_to_end_ns) == {SET + INVOKE + READ}


def test_the_time_is_divided_between_the_two_figures():
    measured, _ = run(seconds=0.1)
    assert len(measured.invoke_ns) == pytest.approx(0.07e9 / (SET + INVOKE), rel=0.02)
    assert len(measured.end_to_end_ns) == pytest.approx(0.03e9 / (SET + INVOKE + READ), rel=0.02)


def test_warm_up_reaches_its_time_and_its_count():
    _, session = run(seconds=1e-9)
    warm_up = session.invocations - 1 - 2 * module.MIN_SAMPLES
    assert warm_up >= module.WARMUP_S * 1e9 / (SET + INVOKE + READ)
    assert warm_up >= module.WARMUP_INFERENCES


def test_a_slow_artifact_gets_the_fewest_samples():
    class Slow(FakeSession):
        def invoke(self):
            super().invoke()
            self.clock.now += 10**9

    measured, _ = run(Slow, seconds=0.1)
    assert len(measured.invoke_ns) == module.MIN_SAMPLES


def test_memory_is_bounded_for_a_fast_artifact(monkeypatch):
    monkeypatch.setattr(module, "MAX_SAMPLES", 50)
    measured, _ = run(seconds=1.0)
    assert len(measured.invoke_ns) == 50


def test_inputs_rotate_through_the_images():
    images = np.arange(10 * 4, dtype=np.uint8).reshape(10, 2, 2, 1)
    _, session = run(images=images, batch=3)
    assert len({values.tobytes() for values in session.seen}) > 1
    assert {values.shape for values in session.seen} == {(3, 2, 2, 1)}


def test_without_images_the_input_is_random_and_seeded():
    _, first = run()
    _, second = run()
    assert first.seen[0].dtype == np.uint8
    assert first.seen[0].tobytes() == second.seen[0].tobytes()


def test_an_input_of_unknown_size_is_refused():
    class Free(FakeSession):
        inputs = (TensorSpec("image", (None, None, 2, 1), "uint8"),)

    with pytest.raises(ArtifactError, match="only the batch, the first size, may be free"):
        run(Free)


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
        run(Watching)
        assert gc.isenabled() is enabled
        assert not any(seen[1:])
    finally:
        (gc.enable if before else gc.disable)()
