"""The candidates that promise most are trained again: which, how, and after a kill."""

import re
from dataclasses import dataclass, replace

import pytest

from tests.search.made_up import ASKED, Learned, takes
from tests.search.test_conduct import begun, carry_out
from toolkit.errors import RunError, UsageError
from toolkit.files import write_text
from toolkit.search import finals, report, search
from toolkit.search.budgets import Budgets, Costs
from toolkit.search.conduct import Limits
from toolkit.search.finals import FINALISTS
from toolkit.search.prove import chosen
from toolkit.study.trials import TrialState

TWO = replace(ASKED, final_epochs=5, finalists=2, average=0.9, qat=True)
SIX = Limits(trials=6)


@pytest.fixture
def proven(monkeypatch):
    """The fronts that the test set would have been opened for: what is trained here could not be exported."""
    fronts = []
    monkeypatch.setattr("toolkit.search.conduct.prove", lambda of, *_, **__: fronts.append(chosen(of)) or of)
    return fronts


def learn(recipe):
    """Come to more with each channel, and to more again in more epochs."""
    width = takes(recipe.model).parameters
    return [0.5] * (recipe.epochs - 1) + [0.7 + width / 100 + recipe.epochs / 50]


def names(of):
    return [one.name for one in of]


@dataclass(frozen=True)
class One:
    name: str
    size_bytes: int
    accuracy: float

    @property
    def costs(self):
        return Costs(self.size_bytes, self.size_bytes, 1, 1)


def choose(*accuracies, least=None, count=2):
    asked = replace(TWO, finalists=count, budgets=Budgets(min_accuracy=least))
    ones = [One(str(number), 1_000 * number, accuracy) for number, accuracy in enumerate(accuracies, 1)]
    return names(finals.choose(ones, asked))


def test_those_of_the_front_that_are_nearest_to_the_accuracy_are_trained_again():
    assert choose(0.9, 0.95, 0.99) == ["2", "3"]
    assert choose(0.9, 0.95, 0.99, least=0.93) == ["1", "2"]
    assert choose(0.9, 0.95, 0.99, least=0.999) == ["2", "3"]
    assert choose(0.9, 0.95, 0.99, count=9) == ["1", "2", "3"]


def test_what_is_larger_and_no_better_is_not_trained_again_and_the_least_gain_is_enough():
    assert choose(0.9, 0.9, 0.900001, 0.8) == ["1", "3"]
    assert choose() == []


def test_finalists_are_trained_from_the_beginning_by_all_that_was_asked_for(tmp_path, tiny, proven):
    executor = Learned(learn)
    of = carry_out(tmp_path, tiny, executor, asked=TWO, limits=SIX)
    first, last = executor.trained[:6], executor.trained[6:]
    assert {(one.recipe.epochs, one.recipe.average, one.recipe.qat) for one in first} == {(3, None, False)}
    assert {(one.recipe.epochs, one.recipe.average, one.recipe.qat) for one in last} == {(5, 0.9, True)}
    assert all(not one.opens_test and not one.floors for one in last)
    assert names(of.finalists) == [one.folder.name for one in last]
    assert of.summary == "8 of 8 candidates finished"
    chosen = [of.named(one.name.replace("final", "trial")) for one in of.finalists]
    assert [(one.choice, one.costs) for one in of.finalists] == [(one.choice, one.costs) for one in chosen]
    assert max(one.accuracy for one in chosen) == max(one.accuracy for one in of.candidates[:6])
    assert search.read(tmp_path) == of


def test_the_front_is_chosen_among_all_that_was_trained(tmp_path, tiny, proven):
    of = carry_out(tmp_path, tiny, Learned(learn), asked=TWO, limits=SIX)
    (front,) = proven
    assert set(names(of.finalists)) & set(names(front))
    assert not {one.name.replace("final", "trial") for one in of.finalists} & set(names(front))


def test_a_search_that_was_killed_in_the_end_goes_on_there_whatever_it_is_allowed_then(tmp_path, tiny, proven):
    with pytest.raises(KeyboardInterrupt):
        carry_out(tmp_path, tiny, Learned(learn, stop_after=7), asked=TWO, limits=SIX)
    left = search.read(tmp_path)
    assert [one.outcome.state for one in left.finalists] == ["finished", "waiting"]
    assert report.conclude(left) == "nothing is proven yet: 7 of 8 candidates finished; call the same again to go on"
    executor = Learned(learn)
    of = carry_out(tmp_path, tiny, executor, asked=TWO, limits=Limits(trials=50))
    assert [one.folder.name for one in executor.trained] == [left.finalists[1].name]
    assert names(of.candidates) == names(left.candidates)
    assert len(proven) == 1


def test_before_the_finalists_are_chosen_nothing_is_said_of_what_is_reached(tmp_path, tiny, proven):
    asked = replace(TWO, budgets=Budgets(min_accuracy=0.9))
    with pytest.raises(KeyboardInterrupt):
        carry_out(tmp_path, tiny, Learned(learn, stop_after=3), asked=asked, limits=SIX)
    assert report.conclude(search.read(tmp_path)).startswith("nothing is proven yet: 3 of 4 candidates finished;")


def test_the_test_set_stays_closed_for_a_finalist_that_crashed_and_is_tried_again(tmp_path, tiny, proven):
    def story(recipe):
        return TrialState.CRASHED if recipe.epochs == 5 else learn(recipe)

    of = carry_out(tmp_path, tiny, Learned(story), asked=TWO, limits=SIX)
    assert [one.outcome.state for one in of.crashed] == [TrialState.CRASHED] * 2
    assert proven == []
    again = carry_out(tmp_path, tiny, Learned(learn), asked=TWO, limits=SIX)
    assert [one.outcome.state for one in again.finalists] == [TrialState.FINISHED] * 2
    assert len(proven) == 1


def test_without_a_finished_candidate_there_is_no_finalist(tmp_path, tiny, proven):
    of = carry_out(tmp_path, tiny, Learned(lambda recipe: TrialState.DIVERGED), asked=TWO, limits=SIX)
    assert of.finalists == []
    assert not (tmp_path / FINALISTS).exists()


def test_the_page_says_what_was_trained_again(tmp_path, tiny, proven):
    of = carry_out(tmp_path, tiny, Learned(learn), asked=TWO, limits=SIX)
    text = report.write(of).markdown.read_text()
    assert "8 of 8 candidates finished, 3 epochs each (cosine schedule), seed 0" in text
    assert (
        "2 candidates of them, chosen by the validation rows, were trained again from the beginning, for 5 epochs "
        "(cosine schedule, quantization-aware for 1 epoch, weights averaged with decay 0.9): the names of those "
        "trainings begin with final-."
    ) in text
    assert len(re.findall(r"^\| final-00\d", text, re.MULTILINE)) == 2


def test_a_choice_that_is_damaged_or_of_what_is_not_there_is_refused(tmp_path, tiny, proven):
    carry_out(tmp_path, tiny, Learned(learn), asked=TWO, limits=SIX)
    for damaged, says in (
        ("{", "cannot be read as a choice of finalists"),
        ('{"candidates": ["trial-099"]}', f"{FINALISTS} speaks of trial-099, which is not there"),
        ('{"candidates": ["a/b"]}', "not a choice of finalists"),
    ):
        write_text(tmp_path / FINALISTS, damaged)
        with pytest.raises(RunError, match=says):
            search.read(tmp_path)


def test_rows_that_cannot_be_augmented_are_refused_before_the_search(tmp_path, tiny, monkeypatch):
    monkeypatch.setattr(type(tiny), "is_pixels", property(lambda dataset: False))
    with pytest.raises(UsageError, match="cannot be augmented; leave --augment out"):
        begun(tmp_path, tiny, replace(TWO, augment="shift"))
