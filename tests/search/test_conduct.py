"""A search from its first call to its last, with trainings and conversions that are made up."""

from dataclasses import replace

import pytest

from tests.conftest import tiny_arrays
from tests.search.made_up import ASKED, Costing, Learned, takes
from toolkit.data.base import make_dataset
from toolkit.errors import CheckFailedError, DataError, RunError, UsageError
from toolkit.files import write_text
from toolkit.search import conduct, search, space
from toolkit.search.budgets import Budgets
from toolkit.search.conduct import Limits
from toolkit.search.experiment import CANDIDATE
from toolkit.study.trials import TrialState

FIVE = Limits(trials=5)

pytestmark = pytest.mark.usefixtures("closed")


def begun(folder, dataset, asked=ASKED):
    return search.begin(asked, dataset, folder, jobs=1)


def carry_out(folder, dataset, executor, *, asked=ASKED, limits=FIVE, costing=None, **options):
    of = begun(folder, dataset, asked)
    return conduct.conduct(of, dataset, executor, costing or Costing(), limits, warn=pytest.fail, **options)


def learn(recipe):
    return [0.5, 0.6, 0.7 + takes(recipe.model).parameters / 1_000]


def choices(of):
    return [one.choice for one in of.candidates]


def test_nothing_is_trained_that_does_not_fit(tmp_path, tiny):
    executor = Learned(learn)
    of = carry_out(tmp_path, tiny, executor)
    assert of.summary == "5 of 5 candidates finished"
    assert max(one.costs.size_bytes for one in of.candidates) <= 10_000
    assert all(not trial.opens_test for trial in executor.trained)
    assert {trial.recipe.epochs for trial in executor.trained} == {3}


def test_a_network_that_contains_a_too_costly_one_is_not_converted(tmp_path, tiny):
    costing = Costing()
    carry_out(tmp_path, tiny, Learned(learn), costing=costing, limits=Limits(trials=8))
    too_costly = [model for model in costing.asked if takes(model).size_bytes > 10_000]
    assert len(too_costly) == len(set(too_costly))


def test_a_budget_that_nothing_meets_is_answered_before_any_training(tmp_path, tiny):
    executor, folder = Learned(learn), tmp_path / "search"
    for budgets, says in (
        (
            Budgets(1_000.0),
            "--max-size 1.00 kB: the smallest takes 2.20 kB of int8 file (tiny:width=2,depth=2,kernel=3",
        ),
        (Budgets(9_000.0, 9_000.0), "the smallest takes 10,000 MACs (tiny:width=2"),
        (Budgets(None, None, 100.0), "the smallest takes 200 B of tensors"),
    ):
        with pytest.raises(UsageError) as refused:
            carry_out(folder, tiny, executor, asked=replace(ASKED, budgets=budgets))
        assert says in str(refused.value)
    assert executor.trained == []
    assert not folder.exists()


def test_deeper_networks_are_not_converted_if_the_file_is_too_large_already(tmp_path, tiny):
    costing = Costing()
    with pytest.raises(UsageError, match="nothing was trained"):
        carry_out(tmp_path, tiny, Learned(learn), asked=replace(ASKED, budgets=Budgets(1_000.0)), costing=costing)
    assert len(costing.asked) == 4


def test_budgets_that_are_met_one_by_one_alone_name_the_nearest():
    class Contrary(Costing):
        def costs_of(self, model):
            costs = takes(model)
            return replace(
                costs, macs=100 if "separable" in model else 1_000, size_bytes=900 if "plain" in model else 2_000
            )

    with pytest.raises(UsageError, match=r"the nearest takes 2.00 kB of int8 file, 100 MACs"):
        conduct.require_possible(Contrary(), Budgets(1_000.0, 400.0))


def test_an_interrupted_search_goes_on_to_the_candidates_of_an_uninterrupted_one(tmp_path, tiny):
    whole = carry_out(tmp_path / "whole", tiny, Learned(learn))
    with pytest.raises(KeyboardInterrupt):
        carry_out(tmp_path / "cut", tiny, Learned(learn, stop_after=2))
    left = search.read(tmp_path / "cut")
    assert [one.outcome.state for one in left.candidates] == ["finished", "finished", "waiting"]
    executor = Learned(learn)
    assert choices(carry_out(tmp_path / "cut", tiny, executor)) == choices(whole)
    assert [trial.folder.name for trial in executor.trained] == ["trial-003", "trial-004", "trial-005"]


def test_hours_of_earlier_calls_count(tmp_path, tiny):
    hour = Limits(hours=1)
    seconds = iter(range(0, 10**9, 900))
    first = carry_out(tmp_path, tiny, Learned(learn), limits=hour, clock=lambda: next(seconds))
    assert 0 < len(first.candidates) < 5
    assert first.spent_s >= 3600
    second = carry_out(tmp_path, tiny, Learned(learn), limits=hour)
    assert len(second.candidates) == len(first.candidates)
    more = carry_out(tmp_path, tiny, Learned(learn), limits=Limits(trials=len(first.candidates) + 1))
    assert len(more.candidates) == len(first.candidates) + 1


def test_what_diverged_counts_with_what_it_had_and_what_crashed_not_at_all(tmp_path, tiny):
    told = iter([TrialState.DIVERGED, TrialState.CRASHED, [0.5, 0.6, 0.7], [0.5, 0.6, 0.7]])
    of = carry_out(tmp_path, tiny, Learned(lambda recipe: next(told)), limits=Limits(trials=4))
    assert of.summary == "2 of 4 candidates finished, 1 diverged, 1 crashed"
    assert [one.result.accuracy for one in of.candidates] == [0.0, None, 0.7, 0.7]


def test_crashes_on_end_end_the_search_with_the_reason(tmp_path, tiny):
    with pytest.raises(CheckFailedError, match="3 trainings on end have crashed, the last: it was told to"):
        carry_out(tmp_path, tiny, Learned(lambda recipe: TrialState.CRASHED), limits=Limits(hours=1))
    assert len(search.read(tmp_path).candidates) == 3


def test_the_sixth_candidate_has_floors(tmp_path, tiny, monkeypatch):
    monkeypatch.setattr("toolkit.search.conduct.ATTEMPTS", 3)
    executor = Learned(learn)
    alike = replace(ASKED, budgets=Budgets(2_300.0))  # few networks fit, and cost much the same
    carry_out(tmp_path, tiny, executor, asked=alike, limits=Limits(trials=12))
    assert [trial.floors for trial in executor.trained[:5]] == [()] * 5
    assert any(trial.floors for trial in executor.trained[5:])
    floors = next(trial.floors for trial in executor.trained if trial.floors)
    assert floors[0] == 0
    assert floors[1] == pytest.approx(0.6)


def test_a_search_for_something_else_is_refused(tmp_path, tiny):
    carry_out(tmp_path, tiny, Learned(learn), limits=Limits(trials=1))
    with pytest.raises(RunError, match=r"a search for something else \(--epochs 3, --seed 0\)"):
        begun(tmp_path, tiny, replace(ASKED, epochs=4, seed=1))
    with pytest.raises(RunError, match=r"something else \(--max-size 10.0 kB\)"):
        begun(tmp_path, tiny, replace(ASKED, budgets=Budgets()))
    other = make_dataset(tiny_arrays(seed=1), name="tiny", origin="tests")
    with pytest.raises(RunError, match=r"a search for other data; ask for the same, or choose another --name"):
        begun(tmp_path, other)


def test_too_few_rows_to_validate_or_to_measure_with_are_refused(tmp_path, tiny):
    """48 validation rows of 240, 90 test rows, and z² is 3.8415: 90 / 93.8415 is 0.959, 125 / 128.8415 is 0.9702."""
    few = make_dataset(tiny_arrays(train=120), name="few", origin="tests")
    with pytest.raises(DataError, match=r"has 24 validation rows; no fewer than 30 could show anything"):
        begun(tmp_path, few)
    with pytest.raises(
        DataError, match=r"90 test rows; no fewer than 2,70\d could show a loss of at most 0.1 points: ask"
    ):
        search.begin(ASKED, tiny, tmp_path, jobs=1, must_match=True)
    for accuracy, least in ((0.97, 125), (0.993, 545)):
        with pytest.raises(DataError, match=f"has 90 test rows; no fewer than {least} could show {100 * accuracy:g} %"):
            begun(tmp_path, tiny, replace(ASKED, budgets=Budgets(min_accuracy=accuracy)))
    begun(tmp_path, tiny, replace(ASKED, budgets=Budgets(min_accuracy=0.95)))


def test_the_limits_of_a_search_must_make_sense():
    for limits, says in (({"trials": 0}, "--trials is 0; it must be"), ({"hours": 0.0}, "--hours is 0; it must be")):
        with pytest.raises(UsageError, match=says):
            Limits(**limits)


def test_a_folder_without_a_search_and_one_with_a_damaged_candidate_are_refused(tmp_path, tiny):
    with pytest.raises(RunError, match=r"no search is there, it has no search\.json"):
        search.read(tmp_path)
    carry_out(tmp_path, tiny, Learned(learn), limits=Limits(trials=1))
    candidate = tmp_path / "trial-001" / CANDIDATE
    text = candidate.read_text()
    for damaged, says in (
        ("{", "cannot be read as a candidate"),
        (text.replace('"width": ', '"width": 99'), "tiny takes no 'width=99"),
        (text.replace('"learning_rate": ', '"learning_rate": 9'), "the learning rate is 90.*; it must be from"),
    ):
        write_text(candidate, damaged)
        with pytest.raises(RunError, match=says):
            search.read(tmp_path)


def test_what_was_too_costly_is_kept_with_the_candidate_behind_it_and_learned_from(tmp_path, tiny):
    """Larger networks are better here, so that proposals go up to the budget; most are within it all the same."""
    of = carry_out(tmp_path, tiny, Learned(learn), limits=Limits(trials=16))
    assert 0 < len(of.rejected) < 2 * len(of.candidates)
    assert all(ASKED.budgets.excess(one.costs) for one in of.rejected)
    assert [one.choice for one in search.read(tmp_path).rejected] == [one.choice for one in of.rejected]


def test_where_hardly_anything_fits_the_smallest_network_is_tried(tmp_path, tiny, monkeypatch):
    monkeypatch.setattr("toolkit.search.conduct.ATTEMPTS", 3)
    of = carry_out(
        tmp_path, tiny, Learned(learn), asked=replace(ASKED, budgets=Budgets(2_200.0)), limits=Limits(trials=3)
    )
    assert {(one.choice.width, one.choice.depth) for one in of.candidates} == {(2, 2)}


def test_once_the_front_was_chosen_nothing_more_is_trained(tmp_path, tiny):
    carry_out(tmp_path, tiny, Learned(learn), limits=Limits(trials=1))
    write_text(tmp_path / "front.json", "{}")
    executor = Learned(learn)
    assert len(carry_out(tmp_path, tiny, executor, limits=Limits(trials=9)).candidates) == 1
    assert executor.trained == []


def test_rounding_is_of_every_training_and_of_what_is_asked_for_again(tmp_path, tiny):
    executor = Learned(learn)
    asked = replace(ASKED, qat=True)
    carry_out(tmp_path, tiny, executor, asked=asked, limits=Limits(trials=1))
    assert [trial.recipe.qat for trial in executor.trained] == [True]
    with pytest.raises(RunError, match=r"has a search for something else \(--qat\)"):
        begun(tmp_path, tiny)
    assert ASKED.difference(asked) == "without --qat"


def test_the_usual_networks_are_tried_first_if_they_fit(tmp_path, tiny):
    for limit, first in ((10_000.0, space.usual()), (8_000.0, ())):
        asked = replace(ASKED, budgets=Budgets(limit))
        of = carry_out(tmp_path / str(limit), tiny, Learned(learn), asked=asked, limits=Limits(trials=3))
        assert set(space.usual()).intersection(choices(of)) == set(first)
        assert tuple(choices(of)[: len(first)]) == first


@pytest.mark.parametrize(("limit", "width", "before"), [(10_000.0, 9, 2), (8_000.0, 7, 0)])
def test_then_they_are_tried_as_wide_as_the_budgets_allow(tmp_path, tiny, limit, width, before):
    of = carry_out(tmp_path, tiny, Learned(learn), asked=replace(ASKED, budgets=Budgets(limit)))
    widest = [replace(one, width=width) for one in space.usual()]
    assert choices(of)[before : before + 2] == widest


def test_without_a_budget_no_network_is_as_wide_as_it_allows(tmp_path, tiny):
    of = carry_out(tmp_path, tiny, Learned(learn), asked=replace(ASKED, budgets=Budgets(min_accuracy=0.9)), limits=FIVE)
    assert not [one for one in choices(of) if one.width == space.WIDTHS[1]]


def test_a_usual_network_that_was_not_tried_by_an_earlier_call_is_tried_next(tmp_path, tiny, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(space, "usual", tuple)
        carry_out(tmp_path, tiny, Learned(learn), limits=Limits(trials=2))
    of = carry_out(tmp_path, tiny, Learned(learn), limits=Limits(trials=5))
    assert tuple(choices(of)[2:4]) == space.usual()
    assert len(set(choices(of))) == 5
