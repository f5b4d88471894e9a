"""A compression from its first call to its last: trainings are made up, a file is as large as its weights."""

import tempfile
from dataclasses import replace
from itertools import pairwise
from math import inf
from pathlib import Path

import pytest

from tests.compress.networks import knowing
from tests.conftest import tiny_arrays
from tests.fuzz import made
from tests.search.made_up import Learned
from toolkit import extras
from toolkit.compress import compression, conduct, lowrank
from toolkit.data.base import make_dataset
from toolkit.errors import CheckFailedError, DataError, RunError, UsageError
from toolkit.export import sources
from toolkit.files import write_text
from toolkit.runtimes.keras.loading import load_model
from toolkit.search.budgets import Budgets, Costs
from toolkit.study.trials import TrialState

BUDGETS = Budgets(max_size_bytes=13_000.0, min_accuracy=0.9)


class Costing:
    """Counts the weights of a network instead of the bytes of its int8 file."""

    def __init__(self, dataset, budgets):
        pass

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def costs_of(self, path):
        weights = load_model(Path(path)).count_params()
        return Costs(size_bytes=weights, macs=weights, memory_bytes=1, parameters=weights)


@pytest.fixture(scope="module")
def known():
    """What networks that were tried take, by their original, its narrowing and whether it is factored."""
    return {}


@pytest.fixture(autouse=True)
def opened(monkeypatch, known):
    """What the test set was opened for: what is trained here has no weights that could be exported.

    Tests look for widths that fit among the same networks: each is made and saved once.
    """
    fronts, costs = [], conduct._Narrower._costs

    def costs_once(self, steps, *, low_rank):
        key = self._compression.asked.teacher, steps, low_rank
        if key not in known:
            known[key] = costs(self, steps, low_rank=low_rank)
        return known[key]

    monkeypatch.setattr(conduct._Narrower, "_costs", costs_once)
    monkeypatch.setattr("toolkit.compress.conduct.Costing", Costing)
    monkeypatch.setattr(lowrank, "LEAST_SAVED", inf)
    monkeypatch.setattr(
        "toolkit.compress.conduct.open_test_set",
        lambda left, *_, **__: fronts.append(tuple(one.name for one in left.candidates)),
    )
    return fronts


@pytest.fixture
def compress(trained_folder, tiny, tmp_path):
    def carry_out(
        executor, *, source=trained_folder, budgets=BUDGETS, folder=tmp_path / "small", dataset=tiny, epochs=3, **more
    ):
        return conduct.conduct(
            sources.resolve(str(source)), budgets, dataset, folder, executor, epochs=epochs, warn=pytest.fail, **more
        )

    return carry_out


def telling(*accuracies):
    """Come to these validation accuracies, one after the other, each in three epochs."""
    left = iter(accuracies)

    def story(recipe):
        told = next(left)
        return told if isinstance(told, TrialState) else [0.4, 0.5, told]

    return story


@pytest.mark.slow
def test_temporary_files_of_keras_lie_where_the_next_call_removes_them(compress):
    seen = []
    compress(Learned(lambda recipe: seen.append(Path(tempfile.gettempdir())) or [0.4, 0.5, 0.6]))
    assert [folder.parent for folder in seen] == [Path(tempfile.gettempdir())]
    assert seen[0].name.startswith("toolkit-")


@pytest.mark.slow
def test_candidates_get_smaller_until_one_no_longer_reaches_what_is_asked_for(compress, opened, tmp_path):
    executor = Learned(telling(0.95, 0.94, 0.6))
    of = compress(executor)
    sizes = [one.costs.size_bytes for one in of.candidates]
    assert [one.name for one in of.candidates] == ["candidate-1", "candidate-2", "candidate-3"]
    assert 0.8 * 13_000 < sizes[0] <= 13_000
    assert [0.4 < smaller / larger < 0.6 for larger, smaller in pairwise(sizes)] == [True, True]
    assert opened == [("candidate-2", "candidate-1")]  # though the larger one is not surely better
    recipe = executor.trained[0].recipe
    assert (recipe.epochs, recipe.batch_size, recipe.schedule) == (3, 16, "cosine")
    assert recipe.teacher.endswith("best.keras")
    assert not any(trial.opens_test for trial in executor.trained)
    start = tmp_path / "small" / "candidate-1" / "cnn-small.keras"
    assert recipe.model == str(start)
    assert compression.read(tmp_path / "small").candidates == of.candidates
    assert (of.to_json()["smallest"], of.summary) == (None, "3 of 3 candidates finished")


@pytest.fixture
def low_rank(monkeypatch):
    """Dense layers of the original are factored if anything is saved."""
    monkeypatch.setattr(lowrank, "LEAST_SAVED", 1)


@pytest.mark.slow
def test_if_a_wider_network_fits_in_low_rank_the_better_of_both_is_made_narrower(compress, opened, low_rank, tmp_path):
    for better, accuracies in ((True, (0.92, 0.95, 0.5)), (False, (0.95, 0.92, 0.5)), (True, (0.6, 0.95, 0.5))):
        folder = tmp_path / str(len(opened))
        of = compress(Learned(telling(*accuracies)), folder=folder)
        first, second, third = of.candidates
        assert [one.low_rank for one in of.candidates] == [False, True, better]
        assert second.steps < first.steps
        assert third.steps == (second if better else first).steps + conduct.APART
        assert max(one.costs.size_bytes for one in of.candidates) <= 13_000
        names = [layer.name for layer in load_model(folder / "candidate-2" / "cnn-small.keras").layers]
        assert any(name.endswith(lowrank.SUFFIX) for name in names)
        assert compression.read(folder).candidates == of.candidates
    assert opened[-1] == ("candidate-2",)


@pytest.mark.slow
def test_if_neither_reaches_it_no_narrower_one_follows(compress, opened, low_rank):
    assert [one.low_rank for one in compress(Learned(telling(0.8, 0.89))).candidates] == [False, True]
    assert opened == [()]


@pytest.mark.slow
def test_if_none_reaches_it_nothing_is_chosen(compress, opened):
    assert len(compress(Learned(telling(0.89))).candidates) == 1
    assert opened == [()]


@pytest.mark.slow
def test_without_min_accuracy_the_original_s_less_the_margin_must_be_reached(compress):
    big = make_dataset(tiny_arrays(test=3_000), name="tiny", origin="tests")
    of = compress(Learned(telling(0.9)), budgets=replace(BUDGETS, min_accuracy=None), dataset=big)
    assert of.least_accuracy == pytest.approx(of.original.accuracy - 0.001)
    assert len(of.candidates) == 1


@pytest.mark.slow
def test_what_was_interrupted_goes_on_with_the_candidates_that_are_there(compress, opened, tmp_path):
    with pytest.raises(KeyboardInterrupt):
        compress(Learned(telling(0.95), stop_after=1))
    assert opened == []
    starts = {path: path.read_bytes() for path in tmp_path.rglob("cnn-small.keras")}
    assert len(starts) == 2
    executor = Learned(telling(0.5))
    of = compress(executor)
    assert [trial.folder.name for trial in executor.trained] == ["candidate-2"]
    assert [one.accuracy for one in of.candidates] == [0.95, 0.5]
    assert {path: path.read_bytes() for path in starts} == starts


@pytest.mark.slow
def test_once_the_front_is_chosen_nothing_more_is_trained(compress, tmp_path):
    compress(Learned(telling(0.95, 0.5)))
    write_text(tmp_path / "small" / "front.json", '{"members": ["candidate-1"]}')
    compress(Learned(lambda recipe: pytest.fail("it was trained")))


@pytest.mark.slow
def test_a_training_that_diverges_ends_it_and_one_that_crashes_says_why(compress, tmp_path):
    assert compress(Learned(telling(TrialState.DIVERGED))).finished == []
    steps = []
    with pytest.raises(CheckFailedError, match="candidate-1: it was told to"):
        compress(Learned(telling(TrialState.CRASHED)), folder=tmp_path / "other", on_step=steps.append)
    assert steps[-1].text.endswith("1 B of tensors: crashed: it was told to")


@pytest.mark.slow
def test_no_narrower_candidate_follows_if_one_channel_a_layer_is_left(compress):
    """3·3 + 1 weights, as many again, 4 + 1 and 3 + 3."""
    (one,) = compress(Learned(telling(0.95)), budgets=replace(BUDGETS, max_size_bytes=35.0)).candidates
    assert one.costs.size_bytes == 31


@pytest.mark.slow
@pytest.mark.parametrize(
    ("budgets", "says"),
    [
        (
            Budgets(max_size_bytes=20.0, min_accuracy=0.9),
            r"no width fits --max-size 20 B.*with one channel a layer it takes 31 B",
        ),
        (Budgets(min_accuracy=0.9), "--min-accuracy 90 %: compress limits the size of the int8 file alone, and needs"),
        (Budgets(max_size_bytes=10_000.0, max_macs=9.0), "--max-macs 9: compress limits the size of the int8 file"),
        (Budgets(max_size_bytes=60_000.0, min_accuracy=0.9), r"takes 52.1 kB of int8 file.* as it is, which is within"),
    ],
)
def test_a_budget_that_makes_no_sense_is_answered_before_any_training(compress, tmp_path, budgets, says):
    with pytest.raises(UsageError, match=says):
        compress(Learned(lambda recipe: pytest.fail("it was trained")), budgets=budgets)
    assert not (tmp_path / "small").exists()


@pytest.mark.slow
def test_a_network_without_channels_that_can_go_is_refused_in_a_line(compress, tmp_path):
    knowing().save(tmp_path / "knowing.keras")
    with pytest.raises(UsageError, match=r"has no channels that can go \(layers with weights: Dense\)"):
        compress(Learned(telling()), source=tmp_path / "knowing.keras", budgets=replace(BUDGETS, max_size_bytes=10.0))


@pytest.mark.slow
def test_a_network_that_takes_other_pixels_keeps_the_same_channels_and_is_fed_with_them(
    compress, trained_folder, tmp_path, monkeypatch
):
    monkeypatch.setattr(conduct._Narrower, "widest_that_fits", lambda self, **_: 9)
    keras = extras.load("keras")
    model = load_model(trained_folder / "best.keras")
    scaling = keras.layers.Rescaling(1 / 255, name="scaling")
    keras.Sequential([keras.Input((8, 8, 1)), scaling, *model.layers]).save(tmp_path / "own.keras")
    started = []
    for name, source in (("plain", trained_folder), ("scaled", tmp_path / "own.keras")):
        executor = Learned(telling(0.5))
        compress(executor, source=source, folder=tmp_path / name)
        (trial,) = executor.trained
        started.append((trial.recipe.input_range, load_model(Path(trial.recipe.model)).get_weights()))
    (plain, weights), (scaled, as_many) = started
    assert (plain, scaled) == ("0..1", "0..255")
    assert [one.tolist() for one in as_many] == [one.tolist() for one in weights]


@pytest.mark.slow
def test_a_network_that_rounds_is_refused(compress, rounding_folder):
    with pytest.raises(UsageError, match="rounds as integer kernels do; compress takes the model that it was made"):
        compress(Learned(telling()), source=rounding_folder, budgets=replace(BUDGETS, max_size_bytes=100.0))


def test_too_few_rows_are_refused(compress):
    with pytest.raises(DataError, match=r"90 test rows; no fewer than 2,70\d could show a loss of at most 0.1 points"):
        compress(Learned(telling()), budgets=replace(BUDGETS, min_accuracy=None))
    with pytest.raises(DataError, match=r"90 test rows; no fewer than 3,838 could show 99.9 %: give a lower"):
        compress(Learned(telling()), budgets=replace(BUDGETS, min_accuracy=0.999))
    few = make_dataset(tiny_arrays(train=120), name="few", origin="tests")
    with pytest.raises(DataError, match="has 24 validation rows; no fewer than 30 could show anything"):
        compress(Learned(telling()), dataset=few)


@pytest.mark.slow
def test_a_folder_with_another_compression_is_refused(compress):
    compress(Learned(telling(0.5)))
    for other in ({"epochs": 4}, {"budgets": replace(BUDGETS, min_accuracy=0.8)}):
        with pytest.raises(RunError, match=r"has a compression of .*best.keras for --max-size 13.0 kB.* in 3 epochs"):
            compress(Learned(telling()), **other)


def test_a_name_that_leads_out_of_the_folder_is_refused(tmp_path):
    made.compression(tmp_path)
    assert compression.read(tmp_path).original.name == "cnn"
    document = tmp_path / compression.DOCUMENT
    write_text(document, document.read_text().replace('"name": "cnn"', '"name": "../cnn"'))
    with pytest.raises(RunError, match=r"compress\.json: .*'\.\./cnn' is no plain file name"):
        compression.read(tmp_path)


def test_a_proof_of_a_candidate_that_is_not_there_is_refused(tmp_path):
    made.compression(tmp_path)
    (tmp_path / "candidate-1").rename(tmp_path / "candidate-7")
    with pytest.raises(RunError, match=r"proof\.json speaks of candidate-1, which is not there"):
        compression.read(tmp_path)
