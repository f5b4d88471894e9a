"""Learning rates that change, and runs that stop because nothing gets better."""

import csv
import json
from dataclasses import replace
from math import cos, pi

import pytest

from tests.training.made_up import RECIPE, assert_same, state
from toolkit.errors import RunError
from toolkit.training import schedule
from toolkit.training.checkpoint import Epoch
from toolkit.training.fit import train
from toolkit.training.recipe import Recipe


def history(*val_losses):
    return [Epoch(number, 0.5, 0.8, loss, 0.8, 1.0) for number, loss in enumerate(val_losses, 1)]


def test_a_constant_rate_is_that_of_the_recipe():
    assert schedule.learning_rate(Recipe(), history(0.3)) is None


@pytest.mark.parametrize(
    ("done", "share"), [(0, 1.0), (1, (1 + cos(pi / 4)) / 2), (2, 0.5), (3, (1 - cos(pi / 4)) / 2)]
)
def test_a_cosine_goes_from_the_rate_of_the_recipe_towards_zero(done, share):
    recipe = Recipe(schedule="cosine", learning_rate=0.01, epochs=4)
    assert schedule.learning_rate(recipe, history(*[1.0] * done)) == pytest.approx(0.01 * share)


@pytest.mark.parametrize(("done", "share"), [(0, 0.5), (1, 1.0), (2, 1.0), (3, 0.75), (4, 0.25)])
def test_a_cosine_begins_after_the_warm_up(done, share):
    recipe = Recipe(schedule="cosine", learning_rate=0.01, epochs=5, warmup=2)
    assert schedule.learning_rate(recipe, history(*[1.0] * done)) == pytest.approx(0.01 * share)


def test_a_plateau_is_counted_after_the_warm_up():
    recipe = Recipe(schedule="plateau", learning_rate=0.01, warmup=5)
    assert schedule.learning_rate(recipe, history(*[1.0] * 10)) == 0.01
    assert schedule.learning_rate(recipe, history(*[1.0] * 11)) == 0.005


@pytest.mark.slow
def test_the_rate_of_a_warm_up_rises_with_each_step_and_stays_then():
    from toolkit import extras

    optimizer = extras.load("keras").optimizers.SGD(learning_rate=0.7)
    rates = []
    for step in (0, 1, 3, 4):
        optimizer.iterations.assign(step)
        schedule.warm_up(extras.load("tensorflow"), optimizer, rate=0.8, steps=4)
        rates.append(float(optimizer.learning_rate))
    assert rates == pytest.approx([0.2, 0.4, 0.8, 0.8])


@pytest.mark.parametrize(
    ("losses", "share"),
    [
        ((), 1),
        ((0.5, *[0.6] * 4), 1),
        ((0.5, *[0.6] * 5), 0.5),
        ((0.5, *[0.5] * 5), 0.5),  # as good is not better
        ((0.5, *[0.6] * 9), 0.5),
        ((0.5, *[0.6] * 10), 0.25),
        ((0.5, *[0.6] * 4, 0.4, *[0.6] * 4), 1),
        ((0.5, *[0.6] * 5, 0.4, *[0.6] * 5), 0.25),
    ],
)
def test_a_plateau_halves_the_rate(losses, share):
    recipe = Recipe(schedule="plateau", learning_rate=0.01)
    assert schedule.learning_rate(recipe, history(*losses)) == pytest.approx(0.01 * share)


def test_epochs_with_rounding_are_held_against_the_best_of_their_own():
    recipe = Recipe(schedule="plateau", learning_rate=0.01)
    past = history(0.5, *[0.6] * 5, *[0.9] * 5)
    assert schedule.learning_rate(recipe, past, after=6) == 0.005
    assert schedule.learning_rate(recipe, [*past, *history(0.9)], after=6) == 0.0025
    assert schedule.learning_rate(recipe, past) == 0.0025


def test_a_plateau_of_an_accuracy_is_where_it_gets_no_higher():
    recipe = Recipe(schedule="plateau", learning_rate=0.01, monitor="val_accuracy")
    rising = [Epoch(n, 0.5, 0.8, 0.9, n / 10, 1.0) for n in range(8)]
    assert schedule.learning_rate(recipe, rising) == 0.01
    assert schedule.learning_rate(recipe, [*rising, *[rising[0]] * 5]) == 0.005


@pytest.mark.parametrize(("patience", "is_over"), [(None, False), (2, True), (3, False)])
def test_patience_counts_from_the_best_epoch(patience, is_over):
    assert schedule.is_patience_over(Recipe(patience=patience), history(1, 0.5, 2, 2), best_epoch=2) == is_over


@pytest.mark.slow
def test_the_rates_are_used_recorded_and_gone_on_with(tmp_path, tiny):
    recipe = replace(RECIPE, schedule="cosine")
    rates = [0.003 * (1 + cos(pi * done / 4)) / 2 for done in range(4)]
    train(recipe, tiny, tmp_path / "whole")
    rows = list(csv.DictReader((tmp_path / "whole" / "history.csv").read_text().splitlines()))
    assert [float(row["learning_rate"]) for row in rows] == pytest.approx(rates)
    assert state(tmp_path / "whole")["optimizer_1"] == pytest.approx(rates[-1])

    def interrupt(epoch):
        if epoch.epoch == 2:
            raise KeyboardInterrupt

    assert train(recipe, tiny, tmp_path / "parts", on_epoch=interrupt).interrupted
    with pytest.raises(RunError, match="its cosine schedule ends with epoch 4; go on without --epochs"):
        train(replace(recipe, epochs=5), tiny, tmp_path / "parts", resume=True)
    train(recipe, tiny, tmp_path / "parts", resume=True)
    assert_same(state(tmp_path / "whole"), state(tmp_path / "parts"))


@pytest.mark.slow
def test_a_run_stops_when_its_patience_is_over_and_is_not_gone_on_with(tmp_path, tiny):
    recipe = replace(RECIPE, epochs=50, patience=2, monitor="val_accuracy")
    stopped = train(recipe, tiny, tmp_path / "run")
    progress = stopped.progress
    assert stopped.stopped_early
    assert len(progress.history) == progress.best_epoch + 2 < 50
    best = progress.history[progress.best_epoch - 1].val_accuracy
    assert all(epoch.val_accuracy <= best for epoch in progress.history)
    config, metrics = (json.loads((tmp_path / "run" / name).read_text()) for name in ("config.json", "metrics.json"))
    assert config["recipe"]["patience"] == 2
    assert metrics["stopped_early"]
    assert "patience of 2 epochs" in (tmp_path / "run" / "summary.txt").read_text()
    before = state(tmp_path / "run")
    assert train(replace(recipe, epochs=60), tiny, tmp_path / "run", resume=True).stopped_early
    assert_same(before, state(tmp_path / "run"))
