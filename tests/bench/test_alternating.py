"""Blocks that alternate: their order, what they hold, and real workers on the tiny artifacts."""

import time
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from tests.bench.test_measure import INVOKED, subject_of
from toolkit.bench import alternating, pair_tasks
from toolkit.bench.candidates import Candidate, select
from toolkit.bench.configuration import Configuration
from toolkit.errors import ArtifactError


def sides_of(*paths):
    return [Configuration(select([path], warn=pytest.fail)[0], 1, 1) for path in paths]


class Workers:
    """In place of the processes: the first side takes 100 µs, the second 50; asked is what they were asked for."""

    def __init__(self, monkeypatch):
        self.asked, self.seconds, self.closed = [], [], 0
        monkeypatch.setattr(alternating, "Process", self._start)

    def _start(self, what, tasks, *, most_bytes):
        workers, shares = self, {}

        class Worker:
            def ask(self, question, seconds=0.0):
                workers.asked.append(question)
                workers.seconds.append(seconds)
                if question["do"] == pair_tasks.OPEN:
                    typical = (100e3, 50e3, 50e3)[question["side"]]
                    shares[question["side"]] = question["share"]
                    return {"typical_ns": typical, "inputs": [], "remark": None}, b""
                taken = [(100e3, 50e3, 50e3)[side] * (1 + shares[side]) for side in question["order"]]
                return {}, np.array(taken).tobytes()

            def close(self):
                workers.closed += 1

        return Worker()


@pytest.fixture
def workers(monkeypatch):
    return Workers(monkeypatch)


def configurations(*names, runtime="litert"):
    return [Configuration(Candidate(Path(name), runtime, None), 1, 1) for name in names]


def test_each_block_comes_back_to_its_own_column_whatever_the_order(workers):
    sides, rng = configurations("a", "b", "b"), np.random.default_rng(0)
    found = alternating.alternate(sides, opening=[1, 0, 2], seconds=0.1, rng=rng, shares=[0.0, 0.0, 0.1])
    assert len(found.blocks_s) > 20
    assert found.blocks_s == pytest.approx(np.tile([100e-6, 50e-6, 55e-6], (len(found.blocks_s), 1)))
    assert found.pairs(0, 2)[0] == pytest.approx([100e-6, 55e-6])
    *opened, taken = workers.asked
    assert [question["side"] for question in opened] == [1, 0, 2]
    by_turn = np.array(taken["order"]).reshape(-1, 3)
    assert (np.sort(by_turn, axis=1) == [0, 1, 2]).all()  # each once a turn
    assert len({tuple(turn) for turn in by_turn}) == 6  # in every order
    # The geometric mean of the blocks is a millisecond.
    assert taken["count"] == round(1e-3 / (100e-6 * 50e-6 * 50e-6) ** (1 / 3))


def test_a_worker_may_time_every_block_again_and_rest_behind_it(workers):
    sides, rng = configurations("a", "b"), np.random.default_rng(0)
    alternating.alternate(sides, opening=[0, 1], seconds=0.1, rng=rng)
    taken, seconds = workers.asked[-1], workers.seconds[-1]
    for_each = pair_tasks.REST_S + pair_tasks.MOST_AGAIN_S + taken["count"] * 100e-6
    assert seconds == pytest.approx(len(taken["order"]) * for_each)


def test_two_processes_open_the_sides_in_both_orders_with_memory_that_lies_otherwise(workers):
    alternating.twice(configurations("a", "b"), seconds=0.01, rng=np.random.default_rng(0))
    opened = [question for question in workers.asked if question["do"] == pair_tasks.OPEN]
    sides = [question["side"] for question in opened]
    assert sides[:2] == sides[:1:-1]
    assert len({question["padding"] for question in opened}) == 4
    assert {question["core"] for question in opened} == {None}
    assert workers.closed == 2


def test_two_runtimes_take_turns_on_one_core_block_by_block(workers):
    sides = [*configurations("a"), *configurations("b", runtime="onnxruntime")]
    found = alternating.alternate(sides, opening=[0, 1], seconds=0.01, rng=np.random.default_rng(0))
    assert found.blocks_s == pytest.approx(np.tile([100e-6, 50e-6], (len(found.blocks_s), 1)))
    (core,) = {question["core"] for question in workers.asked if question["do"] == pair_tasks.OPEN}
    assert core is not None
    assert {len(question["order"]) for question in workers.asked if question["do"] == pair_tasks.TAKE} == {1}
    assert workers.closed == 2


def test_blocks_are_timed_as_one_behind_a_lead_in():
    subject, session, _ = subject_of()
    before = session.invocations
    assert subject.together(10) == 10 * INVOKED  # setting the input is not in it
    assert session.invocations - before == 10 + 2


@pytest.mark.parametrize("share", [0.02, 0.05])
def test_busy_work_lasts_its_share_of_the_inferences_of_the_same_block(share):
    subject, session, _ = subject_of(tick=1)
    for slowed in (1, 3):  # by whatever else runs
        session.invoked = slowed * INVOKED
        assert subject.together(50, share=share) == pytest.approx(50 * slowed * INVOKED * (1 + share), abs=3)


@pytest.mark.parametrize(("seconds", "times"), [(0.0, 3), (2 * pair_tasks.MOST_AGAIN_S, 1)])
def test_a_block_that_loses_the_core_is_timed_again_unless_it_is_long(monkeypatch, seconds, times):
    """The system takes the core in the first two blocks."""
    taken = []

    def together(count, **_):
        time.sleep(seconds)
        taken.append(1000.0 * count * (3 - len(taken)))
        return taken[-1]

    subject = SimpleNamespace(block=lambda *_: np.array([1.0]), together=together, takes=[], remark=None)
    monkeypatch.setattr(pair_tasks, "open_subject", lambda *_, **__: subject)
    monkeypatch.setattr(pair_tasks, "_preemptions", lambda: min(len(taken), 2))
    kept = {}
    about = {"side": 0, "share": 0.0, "padding": 0, "core": None, "seconds": 0.0, "kind": INVOKED}
    pair_tasks._open(kept, b"", **about, inputs=None, runtime="litert", setting=None)
    _, content = pair_tasks._take(kept, b"", order=[0], count=2)
    assert len(taken) == times
    assert np.frombuffer(content).tolist() == [taken[-1] / 2]


@pytest.mark.slow
def test_real_workers_measure_one_runtime_in_one_process_and_two_in_two(exported):
    small, float32, onnx = (exported / name for name in ("cnn-int8.tflite", "cnn-float32.tflite", "cnn-int8.onnx"))
    rng = np.random.default_rng(0)
    for pair in ((small, float32), (small, onnx)):
        found = alternating.alternate(sides_of(*pair), opening=[0, 1], seconds=0.01, rng=rng)
        assert (found.blocks_s > 0).all()
        assert len(found.blocks_s) >= alternating.LEAST_BLOCKS
        assert [specs[0].dtype for specs in found.inputs] == ["int8", "float32"]


def test_what_cannot_be_opened_is_named(exported, tmp_path):
    (tmp_path / "broken.tflite").write_bytes(b"no model")
    sides = sides_of(exported / "cnn-int8.tflite", tmp_path / "broken.tflite")
    with pytest.raises(ArtifactError, match=r"broken\.tflite"):
        alternating.alternate(sides, opening=[0, 1], seconds=0.01, rng=np.random.default_rng(0))
