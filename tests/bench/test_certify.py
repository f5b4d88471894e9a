"""The benchmark against itself: made-up rounds with known answers, a made-up clock, and one real round."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from toolkit import host
from toolkit.bench import alternating
from toolkit.bench import certify as module
from toolkit.bench.alternating import Alternated
from toolkit.bench.candidates import select
from toolkit.bench.certify import PLANTED, Certificate, certify
from toolkit.bench.plan import Plan
from toolkit.errors import ArtifactError, UsageError


def rounds_of(*, found=PLANTED, between=0.003, count=60, seed=0):
    """Rounds of two processes each, which find ``found`` slow-downs, each a little otherwise."""
    rng = np.random.default_rng(seed)

    def process():
        slower = np.exp(rng.normal(np.log1p(found), between))
        return np.tile(1e-4 * np.array([1.0, *slower]), (5, 1))

    return tuple((process(), process()) for _ in range(count))


def certificate(folder=Path("f"), **facts):
    """Return a certificate of made-up rounds."""
    return Certificate(Path("a.tflite"), folder, host.describe(), Plan(), rounds_of(**facts))


def test_planted_slow_downs_are_found_seen_and_covered():
    found = certificate()
    assert [one.share for one in found.planted] == [0.0, 0.02, 0.05]
    assert [one.measured for one in found.planted] == pytest.approx([0.0, 0.02, 0.05], abs=0.001)
    assert [one.detected >= 99 for one in found.planted] == [False, True, True]
    assert all(one.covered >= 93 for one in found.planted)
    assert found.planted[0].called_different <= 5
    assert (found.detectable, found.passed, found.independent) == (0.02, True, 12)


def test_a_benchmark_that_sees_what_is_not_there_fails():
    found = certificate(found=(0.02, 0.02, 0.05))
    assert found.planted[0].called_different > 95
    assert [one.passed for one in found.planted] == [False, True, True]
    assert not found.passed


def test_a_benchmark_that_misses_the_truth_fails():
    found = certificate(found=(0.0, 0.03, 0.05))
    assert found.planted[1].detected == 100
    assert found.planted[1].covered < 93
    assert not found.passed


def test_what_the_noise_hides_is_not_called_detectable():
    found = certificate(between=0.2)
    assert found.detectable is None
    assert [one.passed for one in found.planted] == [True, False, False]


def test_the_trials_are_drawn_by_the_seed_from_rounds_that_differ():
    first, again = certificate(), certificate()
    assert first.to_json() == again.to_json()
    assert len({speedup.value for speedup in first.planted[0].speedups}) > 90


@pytest.fixture
def made_up(monkeypatch):
    """Rounds that take ten seconds each, of a made-up clock."""
    now = [0.0]
    rounds = iter(rounds_of(count=100))

    def twice(sides, *, seconds, rng, shares):
        now[0] += 10
        assert shares == (0.0, *PLANTED)
        assert seconds == Plan().seconds / 5 / 2
        return [Alternated(blocks, (), ()) for blocks in next(rounds)]

    monkeypatch.setattr(alternating, "twice", twice)
    return lambda: now[0]


def test_rounds_are_measured_until_the_time_is_up_and_saved(exported, tmp_path, made_up):
    candidate = select([exported / "cnn-int8.tflite"], warn=pytest.fail)[0]
    steps = []
    found = certify(candidate, tmp_path / "c", Plan(), on_step=steps.append, clock=made_up)
    assert len(found.rounds) == module.LONGEST_S / 10
    assert [step.done for step in steps][:3] == [0, 6, 12]
    kept = json.loads(found.path.read_text())
    assert kept == {**found.to_json(), "artifact": "cnn/cnn-int8.tflite"}  # which tells no folder of the user's
    with np.load(tmp_path / "c" / "certificate.npz") as samples:
        assert samples["blocks_s"].shape == (samples["lengths"].sum(), 1 + len(PLANTED))
        assert len(samples["lengths"]) == 2 * len(found.rounds)


def test_ctrl_c_keeps_the_rounds_if_they_make_a_trial(exported, tmp_path, made_up):
    candidate = select([exported / "cnn-int8.tflite"], warn=pytest.fail)[0]

    def after(rounds):
        def step(step):
            if step.text.endswith(f"round {rounds + 1}"):
                raise KeyboardInterrupt

        return step

    assert len(certify(candidate, tmp_path / "c", Plan(), on_step=after(7), clock=made_up).rounds) == 7
    with pytest.raises(KeyboardInterrupt):
        certify(candidate, tmp_path / "d", Plan(), on_step=after(4), clock=made_up)


def test_an_emulated_machine_certifies_nothing(exported, tmp_path, monkeypatch):
    emulated = replace(host.describe(), emulated=True)
    monkeypatch.setattr(host, "describe", lambda: emulated)
    candidate = select([exported / "cnn-int8.tflite"], warn=pytest.fail)[0]
    with pytest.raises(ArtifactError, match="this machine is emulated"):
        certify(candidate, tmp_path, Plan())


def test_more_processes_of_a_trial_than_there_are_rounds_are_refused_before_they_are_measured(tmp_path):
    with pytest.raises(UsageError, match=r"a trial of 151 processes was asked for; allowed: up to 150"):
        certify(None, tmp_path, Plan(processes=151))
