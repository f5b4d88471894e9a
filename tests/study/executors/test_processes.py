"""The executor of one machine, with workers that only pretend to train."""

import os
from dataclasses import replace

import pytest

from tests.study.made_up import DIGESTS, SMALL
from toolkit.errors import UsageError
from toolkit.study import outcome, trials
from toolkit.study.executors.base import ENDED, EPOCH, STARTED, Work
from toolkit.study.executors.processes import Processes
from toolkit.study.trials import TrialState

WORK = Work("sample", "cpu", allow_overlap=False)
SOUND = replace(SMALL, loss=("categorical_crossentropy",), optimizer=("adam",))


@pytest.fixture(autouse=True)
def _fake_workers(monkeypatch):
    monkeypatch.setattr("toolkit.study.executors.processes.WORKER", "tests.study.fake_worker")


def carry_out(grid, folder, *, jobs):
    of = trials.grid_trials(grid, DIGESTS, folder)
    return of, list(Processes(jobs, folder / "log")(of, WORK))


@pytest.mark.parametrize("jobs", [1, 2, pytest.param(9, marks=pytest.mark.slow)])
def test_every_run_starts_and_ends_once(tmp_path, jobs):
    of, events = carry_out(SOUND, tmp_path, jobs=jobs)
    for kind in (STARTED, EPOCH, ENDED):
        assert sorted(event.trial.folder for event in events if event.kind == kind) == sorted(one.folder for one in of)
    assert len({event.epoch.seconds for event in events if event.epoch}) <= jobs


def test_one_process_lives_for_many_runs(tmp_path):
    _, events = carry_out(SOUND, tmp_path, jobs=1)
    assert len({event.epoch.seconds for event in events if event.epoch}) == 1
    assert [event.kind for event in events[:4]] == [STARTED, EPOCH, ENDED, STARTED]


def test_a_process_is_replaced_before_it_has_kept_too_much(tmp_path, monkeypatch):
    monkeypatch.setattr("toolkit.study.executors.processes.MOST_RUNS", 4)
    of, events = carry_out(SOUND, tmp_path, jobs=1)
    processes = [event.epoch.seconds for event in events if event.epoch]
    assert [processes.count(one) for one in dict.fromkeys(processes)] == [4, len(of) - 4]


@pytest.mark.slow
def test_processes_share_the_cores(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: set(range(7)))
    carry_out(SOUND, tmp_path, jobs=3)
    assert (tmp_path / "log").read_text() == "threads: 2\n" * 3


@pytest.mark.slow
def test_a_process_that_dies_costs_its_run_and_is_replaced(tmp_path):
    of, events = carry_out(replace(SMALL, optimizer=("adam",), learning_rate=(0.1,)), tmp_path, jobs=1)
    assert len([event for event in events if event.kind == ENDED]) == len(of) == 4
    for trial in of:
        read = outcome.read(trial)
        if trial.recipe.loss == "mse":
            assert (read.state, read.message.partition(";")[0]) == (
                TrialState.CRASHED,
                "its process was ended by SIGKILL",
            )
        else:
            assert read.state == TrialState.WAITING  # nothing was trained
    assert len([event for event in events if event.kind == EPOCH]) == 2


@pytest.mark.slow
def test_closing_ends_the_processes_at_once(tmp_path):
    events = Processes(2, tmp_path / "log")(trials.grid_trials(SOUND, DIGESTS, tmp_path), WORK)
    pids = {int(event.epoch.seconds) for event in (next(events) for _ in range(6)) if event.epoch}
    events.close()
    assert pids
    for pid in pids:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


def test_no_jobs_are_refused(tmp_path):
    with pytest.raises(UsageError, match="the number of jobs is 0; it must be from 1 to 64"):
        Processes(0, tmp_path / "log")
