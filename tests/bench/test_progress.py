"""Where a benchmark stands, by a made-up clock."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from toolkit.bench.candidates import Candidate
from toolkit.bench.configuration import Configuration
from toolkit.bench.progress import PACE, START, TURN, BenchProgress
from toolkit.cli.bench.live import show_live, standing
from toolkit.console import Standing
from toolkit.step import Step


class Clock:
    now_s = 0.0

    def __call__(self):
        return self.now_s


@pytest.fixture
def clock():
    return Clock()


FAST, SLOW = (Configuration(Candidate(Path(f"x/{name}.tflite"), "litert", None), 1, 1) for name in ("fast", "slow"))


@pytest.fixture
def progress(clock):
    return BenchProgress(
        [FAST, SLOW],
        {START: 1, TURN: 3, PACE: 0},
        processes=2,
        expected_s={TURN: 0.1, PACE: 1.0},
        emulated=False,
        on_step=lambda progress: None,
        clock=clock,
    )


def states(progress):
    return [row.state for row in progress.rows()]


def test_a_configuration_goes_from_waiting_to_done(progress):
    assert states(progress) == ["waiting", "waiting"]
    for process in (1, 2):
        for setting in (FAST, SLOW):
            progress.starting(setting)
        assert states(progress)[0] == f"process {process} of 2, starting"
        for setting in (FAST, SLOW):
            progress.did(START, setting)
        assert states(progress)[0] == f"process {process} of 2, warm"
        for turn in (1, 2):
            progress.did(TURN, FAST, np.array([1e3]))
            assert states(progress)[0] == f"process {process} of 2, turn {turn} of 3"
        progress.did(TURN, FAST, np.array([1e3]))
        assert states(progress)[0] == (f"process {process} of 2, turn 3 of 3" if process == 1 else "done")
        for _ in range(3):
            progress.did(TURN, SLOW, np.array([1e3]))
    assert states(progress) == ["done", "done"]


def test_the_time_left_is_that_of_the_steps_so_far(progress, clock):
    assert progress.left_s is None
    assert progress.share == 0
    for setting in (FAST, SLOW):
        clock.now_s += 2
        progress.did(START, setting)
    assert progress.left_s == pytest.approx(2 * 2 + 12 * 0.1)  # two more starts of 2 s, twelve turns as expected
    clock.now_s += 0.5
    progress.did(TURN, FAST, np.array([1e3]))
    assert progress.left_s == pytest.approx(2 * 2 + 11 * 0.5)
    assert progress.share == pytest.approx(4.5 / (4.5 + 9.5))


def test_a_failed_configuration_takes_no_more_time_and_says_why(progress, clock):
    clock.now_s = 2
    progress.did(START, FAST)
    clock.now_s = 120
    progress.failed(SLOW, "x/slow.tflite: litert was ended by SIGSEGV")
    assert states(progress)[1] == "failed: litert was ended by SIGSEGV"
    assert progress.left_s == pytest.approx(2 + 6 * 0.1)


def test_the_median_so_far_is_that_of_the_blocks(progress):
    assert progress.rows()[0].median_s is None
    for block in ([1e3, 2e3, 9e3], [4e3], [5e3]):
        progress.did(TURN, FAST, np.array(block))
    assert progress.rows()[0].median_s == pytest.approx(4e-6)


def test_under_emulation_no_median_is_shown():
    steps = {START: 1, TURN: 1, PACE: 0}
    told = []
    hidden = BenchProgress(
        [FAST], steps, processes=1, expected_s={TURN: 1, PACE: 1}, emulated=True, on_step=told.append
    )
    hidden.did(START, FAST)
    hidden.did(TURN, FAST, np.array([1e3]))
    assert hidden.rows()[0].median_s is None
    assert told == [hidden]


def test_the_live_table_has_a_column_for_each_setting_that_varies(progress, clock):
    assert standing(progress).text == "measuring"
    assert [column.heading for column in standing(progress).columns] == [
        "artifact", "runtime", "median so far", "state"
    ]  # fmt: skip
    clock.now_s = 40
    progress.did(START, FAST)
    progress.did(TURN, FAST, np.array([21_300.0]))
    assert standing(progress).text == "about 2 min 0 s left"
    assert standing(progress).rows[0] == ("fast.tflite", "litert", "21.3 µs", "process 1 of 2, turn 1 of 3")
    two = [Configuration(FAST.candidate, threads, 1) for threads in (1, 2)]
    sweep = BenchProgress(
        two, {START: 1, TURN: 1, PACE: 0}, processes=1, expected_s={}, emulated=False, on_step=lambda progress: None
    )
    assert standing(sweep).columns[2].heading == "threads"
    assert [row[2] for row in standing(sweep).rows] == ["1", "2"]


def test_what_comes_after_the_measurements_has_a_bar_and_no_rows(progress):
    at: Any = show_live(SimpleNamespace(live_steps=lambda at: at))
    assert at(Step(1, 4, "taking fast.tflite apart")) == Standing(0.25, "taking fast.tflite apart", (), ())
    assert at(Step(1, 4, "", progress)) == standing(progress)
