"""The board while a study runs, by a clock that is told what to say."""

from dataclasses import replace

from tests.study.made_up import SMALL, study
from toolkit.study.executors.base import ENDED, EPOCH, STARTED, Event
from toolkit.study.progress import Board
from toolkit.study.trials import TrialState
from toolkit.training.checkpoint import Epoch

GRID = replace(SMALL, optimizer=("adam",), activation=("relu",), learning_rate=(0.001, 0.01))


def waiting(recipe):
    return {"accuracies": [], "state": TrialState.WAITING}


def epoch(number):
    return Epoch(number, 0.5, 0.8, 0.5, 0.9, 1.5)


def board_of(story=waiting, *, jobs=1):
    clock = iter(range(0, 1000, 2))
    of = study(story, GRID)
    return Board(of, jobs=jobs, clock=lambda: float(next(clock))), [one.trial for one in of.outcomes]


def test_nothing_is_known_before_an_epoch_is_over():
    board, trials = board_of()
    board.note(Event(trials[0], STARTED))
    assert board.headline() == "0 of 4 runs finished"
    assert board.rows()[0] == ("MLP Adam ReLU 0.001 cross-entropy seed 0", "running", "0/4", "", "", "")
    assert [row[1] for row in board.rows()] == ["running", "waiting", "waiting", "waiting"]


def test_the_rest_is_reckoned_from_the_wall_time_of_epochs():
    board, trials = board_of(jobs=2)
    board.note(Event(trials[1], STARTED))
    board.note(Event(trials[1], EPOCH, epoch(1)))
    board.note(Event(trials[1], EPOCH, epoch(2)))
    assert board.rows()[0] == (
        "MLP Adam ReLU 0.001 mean squared error seed 0", "running", "2/4", "90.00 %", "3.00 s", "4.00 s",
    )  # fmt: skip
    # 14 epochs of 2 s are left, for two at a time.
    assert board.headline() == "0 of 4 runs finished, about 14.0 s left"


def test_runs_of_before_tell_what_an_epoch_takes():
    board, _ = board_of(
        lambda recipe: (
            {"accuracies": [0.5, 0.6], "state": TrialState.UNFINISHED} if recipe.loss == "mse" else waiting(recipe)
        )
    )
    assert board.headline() == "0 of 4 runs finished, about 24.0 s left"


def test_a_model_without_a_finished_epoch_makes_it_a_lower_bound():
    def story(recipe):
        return {"accuracies": [0.5, 0.6], "state": TrialState.UNFINISHED} if recipe.model == "mlp" else waiting(recipe)

    board = Board(study(story, replace(GRID, model=("cnn", "mlp"))), jobs=1)
    assert board.headline() == "0 of 8 runs finished, more than 16.0 s left"


def test_a_crash_of_an_earlier_call_is_due_again():
    board, _ = board_of(lambda recipe: {"accuracies": [], "state": TrialState.CRASHED})
    assert [row[1] for row in board.rows()] == ["waiting"] * 4


def test_what_a_run_came_to_is_read_from_its_folder(tmp_path):
    of = study(waiting, GRID, tmp_path)
    board = Board(of, jobs=1)
    from toolkit.study.trials import record_failure

    record_failure(of.outcomes[0].trial, TrialState.CRASHED, "it was unplugged")
    board.note(Event(of.outcomes[0].trial, STARTED))
    board.note(Event(of.outcomes[0].trial, ENDED))
    assert board.headline() == "0 of 4 runs finished, 1 crashed"
    assert board.rows()[0][1] == "crashed"
