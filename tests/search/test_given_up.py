"""A training that is given up, as the process that trains it does it; what is learned is made up."""

import pytest

from tests.search.made_up import ASKED, choice
from tests.study.made_up import progress
from toolkit.study import outcome, trials
from toolkit.study.trials import Trial, TrialState
from toolkit.training import checkpoint


@pytest.fixture
def perform(monkeypatch, tmp_path, tiny):
    """Train by these validation accuracies and floors; return how it ended, and its epochs."""

    def carry_out(accuracies, floors):
        def train(recipe, dataset, folder, *, opens_test, on_epoch, **_):
            assert not opens_test
            for number in range(1, len(accuracies) + 1):
                of = progress(accuracies[:number])
                checkpoint.save_state(folder / checkpoint.STATE, variables={}, progress=of)
                on_epoch(of.history[-1])

        monkeypatch.setattr("toolkit.training.fit.train", train)
        trial = Trial(ASKED.recipe(choice()), tmp_path / "trial-001", tiny.digests, floors, opens_test=False)
        told = []
        trials.perform(trial, tiny, device="cpu", allow_overlap=False, on_epoch=told.append)
        return outcome.read(trial), len(told)

    return carry_out


def test_a_training_below_its_floor_is_given_up_after_that_epoch(perform):
    found, epochs = perform([0.5, 0.6, 0.9], (0.0, 0.7, 0.7))
    assert (found.state, epochs, found.ended) == (TrialState.GIVEN_UP, 2, True)
    assert found.message == "60.00 % on the validation rows after epoch 2, below 70.00 %"
    assert found.kept_validation_accuracy == 0.6


def test_a_training_that_once_reached_its_floor_is_not_given_up(perform):
    found, epochs = perform([0.8, 0.6, 0.6], (0.0, 0.7, 0.8))
    assert (found.state, epochs) == (TrialState.UNFINISHED, 3)


def test_a_kill_before_an_epoch_was_looked_at_does_not_save_a_training_from_being_given_up(perform, tmp_path):
    of = progress([0.5, 0.6])
    checkpoint.save_state(tmp_path / "trial-001" / checkpoint.STATE, variables={}, progress=of)
    found, epochs = perform([0.5, 0.6, 0.9], (0.0, 0.7, 0.7))
    assert (found.state, epochs) == (TrialState.GIVEN_UP, 0)
    assert found.message == "60.00 % on the validation rows after epoch 2, below 70.00 %"


def test_without_floors_nothing_is_given_up(perform):
    assert perform([0.1, 0.1, 0.1], ())[1] == 3


def test_the_message_of_a_crash_is_its_first_line(tmp_path, tiny, monkeypatch):
    def train(*_, **__):
        raise ValueError("no kernel for this\n\nNode: conv_1\n  at line 3")

    monkeypatch.setattr("toolkit.training.fit.train", train)
    trial = Trial(ASKED.recipe(choice()), tmp_path / "trial-001", tiny.digests, opens_test=False)
    trials.perform(trial, tiny, device="cpu", allow_overlap=False, on_epoch=pytest.fail)
    assert outcome.read(trial).message == "ValueError: no kernel for this"
