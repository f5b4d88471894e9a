"""The benchmark against itself: made-up trials with known answers, a fake clock, and one real trial."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

from tests.bench import made_up
from toolkit import host
from toolkit.bench import certify as module
from toolkit.bench.busy import BusyWork
from toolkit.bench.candidates import select
from toolkit.bench.certify import PLANTED, Certificate, certify
from toolkit.bench.schedule import Plan
from toolkit.cli import call
from toolkit.errors import ArtifactError


def trial(*microseconds, spread=0.001, seed=0):
    """Return a record with a result for each median."""
    record = made_up.record()
    seeds = range(seed * 100, seed * 100 + len(microseconds))
    record.results = [made_up.result(m * 1e-6, spread=spread, seed=s) for m, s in zip(microseconds, seeds, strict=True)]
    return record


def test_planted_slow_downs_are_found_and_covered():
    found = Certificate(Path("a"), tuple(trial(100, 100, 102, 105, 110, seed=seed) for seed in range(4)))
    assert [one.share for one in found.planted] == list(PLANTED)
    assert [round(one.found, 3) for one in found.planted] == [0.0, 0.02, 0.05, 0.1]
    assert [one.detected for one in found.planted] == [0, 4, 4, 4]
    assert [one.covered for one in found.planted] == [4, 4, 4, 4]
    assert found.detectable == 0.02
    assert found.passed
    assert found.spread < 0.001


def test_a_benchmark_that_sees_what_is_not_there_fails():
    wrong = trial(100, 103, 102, 105, 110)
    found = Certificate(Path("a"), (wrong, *(trial(100, 100, 102, 105, 110, seed=seed) for seed in range(9))))
    assert found.planted[0].called_different == 1
    assert found.planted[0].covered == 9
    assert not found.passed  # one of ten is more than 5 %
    assert Certificate(Path("a"), (*found.trials, *found.trials[1:], *found.trials[1:])).passed


def test_what_the_noise_hides_is_not_called_detectable():
    noisy = tuple(trial(100, 100, 102, 105, 110, spread=0.5, seed=seed) for seed in range(3))
    assert Certificate(Path("a"), noisy).detectable is None


@pytest.mark.parametrize("loop", [1, 4])
@pytest.mark.parametrize("share", PLANTED)
def test_busy_work_takes_its_share_of_the_inference(share, loop):
    now = 0

    def work(nanoseconds):
        nonlocal now
        now += nanoseconds

    busy = BusyWork(share, lambda: now, lambda turns: work(100 + 10 * turns))  # 100 ns a call, 10 ns a turn
    time_one = busy.behind(lambda: work(60_000), prepare=lambda: work(999), loop=loop)
    assert time_one() == pytest.approx(60_000 * (1 + share) + 100 / loop, abs=10)


@pytest.mark.slow
def test_a_real_trial_is_recorded_and_one_line_says_what_failed(exported, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(module, "TRIALS", 1)
    quick = ["--seconds", "0.01", "--processes", "1", "--output", str(tmp_path)]
    code = call(["certify", str(exported), *quick])
    printed = capsys.readouterr().out
    assert {"pass: called": 0, "fail: called": 1}[re.search("(pass|fail): called", printed)[0]] == code
    assert "against itself and against slowed copies of itself, in 1 trials" in printed
    assert "called different from itself in " in printed
    (folder,) = tmp_path.glob("2*")
    assert len(list((folder / "trial-01").glob("*.npz"))) == len(PLANTED) + 1
    (exported / "broken.tflite").write_bytes(b"no model")
    assert call(["certify", str(exported / "broken.tflite"), *quick]) == 2
    assert capsys.readouterr().err.startswith(f"error: {exported / 'broken.tflite'}")


def test_ctrl_c_keeps_the_trials_that_were_finished(exported, tmp_path, monkeypatch):
    records = iter([trial(100, 100, 102, 105, 110), replace(trial(100), interrupted=True)])
    monkeypatch.setattr(module, "measure", lambda *arguments: next(records))
    candidate = select([exported / "cnn-int8.tflite"], warn=pytest.fail)[0]
    assert len(certify(candidate, tmp_path, Plan(), trials=3).trials) == 1
    records = iter([replace(trial(100), interrupted=True)])
    with pytest.raises(KeyboardInterrupt):
        certify(candidate, tmp_path, Plan())


def test_an_emulated_machine_certifies_nothing(exported, tmp_path, monkeypatch):
    emulated = replace(host.describe(), emulated=True)
    monkeypatch.setattr(host, "describe", lambda: emulated)
    candidate = select([exported / "cnn-int8.tflite"], warn=pytest.fail)[0]
    with pytest.raises(ArtifactError, match="this machine is emulated"):
        certify(candidate, tmp_path, Plan())
