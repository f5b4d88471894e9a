"""Training on the tiny data: what a run leaves, how well it learns, and when it is stopped."""

import csv
import json
import math
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from tests.training.made_up import RECIPE, UNEVEN
from toolkit import extras
from toolkit.errors import DivergedError, RunError, UsageError
from toolkit.runs import BEST
from toolkit.runtimes.keras.loading import load_model
from toolkit.training import epochs
from toolkit.training.fit import train
from toolkit.training.phases import FLOAT, Phase
from toolkit.training.recipe import Recipe


@pytest.mark.slow
def test_a_run_leaves_its_folder_whole(uninterrupted_once, tiny):
    folder = uninterrupted_once
    assert {path.name for path in folder.iterdir()} == {
        "config.json",
        "best.keras",
        "state.npz",
        "history.csv",
        "loss.png",
        "accuracy.png",
        "summary.txt",
        "metrics.json",
        "tensorboard",
    }
    rows = list(csv.DictReader((folder / "history.csv").read_text().splitlines()))
    assert [row["epoch"] for row in rows] == ["1", "2", "3", "4"]
    values = [float(row["val_loss"]) for row in rows]
    metrics = json.loads((folder / "metrics.json").read_text())
    assert metrics["best_value"] == min(values)
    assert metrics["best_epoch"] == values.index(min(values)) + 1
    assert metrics["test_accuracy"] > 0.9
    assert metrics["dataset"] == {"name": "tiny", "split": "test", "n": 90, "sha256": tiny.test.sha256, "overlap": []}
    config = json.loads((folder / "config.json").read_text())
    assert config["device"] == "CPU"
    assert config["data"]["digests"] == tiny.digests
    assert "total" in (folder / "summary.txt").read_text()
    assert list((folder / "tensorboard").iterdir())


@pytest.mark.slow
def test_the_best_model_scores_what_the_metrics_say(uninterrupted, tiny):
    metrics = json.loads((uninterrupted / "metrics.json").read_text())
    probabilities = load_model(uninterrupted / "best.keras").predict(tiny.test.images / 255.0, verbose=0)
    assert np.mean(probabilities.argmax(axis=1) == tiny.test.labels) == metrics["test_accuracy"]


@pytest.mark.slow
def test_the_best_model_is_in_float32_and_carries_no_optimizer(uninterrupted):
    model = load_model(uninterrupted / "best.keras")
    assert not model.compiled
    assert {layer.compute_dtype for layer in model.layers} == {"float32"}


@pytest.mark.slow
def test_a_loss_that_is_no_number_stops_the_run_and_keeps_the_best(tmp_path, tiny, monkeypatch):
    real = epochs.Epochs._pass

    def poisoned(self, *arguments):
        totals = real(self, *arguments)
        return replace(totals, loss=math.nan) if len(self._progress.history) == 1 else totals

    monkeypatch.setattr(epochs.Epochs, "_pass", poisoned)
    with pytest.raises(
        DivergedError, match=r"epoch 2 is nan: the learning rate 0\.003 is likely too high, try 0\.0003"
    ):
        train(RECIPE, tiny, tmp_path / "run")
    assert load_model(tmp_path / "run" / "best.keras").count_params() > 0


@pytest.mark.parametrize(
    ("phase", "epoch", "kept"),
    [
        (Phase(0, 8, FLOAT, rounds=False), 1, "no epoch was finished"),
        (Phase(0, 8, FLOAT, rounds=False), 2, r"the best weights are kept in run/float\.keras"),
        (Phase(8, 10, BEST, rounds=True), 9, r"the best weights are kept in run/float\.keras"),
        (Phase(8, 10, BEST, rounds=True), 10, r"the best weights are kept in run/best\.keras"),
    ],
)
def test_a_run_that_diverges_says_what_is_kept(phase, epoch, kept):
    folder = Path("run")
    run = SimpleNamespace(_recipe=RECIPE, phase=phase, _folder=folder, _best=folder / phase.best)
    with pytest.raises(DivergedError, match=f"the loss of epoch {epoch} is nan: .*; {kept}$"):
        epochs.Epochs._check_finite(run, math.nan, epoch)


@pytest.mark.slow
def test_a_real_divergence_is_noticed(tmp_path, tiny, monkeypatch):
    monkeypatch.setattr("toolkit.training.recipe.MOST_LEARNING_RATE", 1e30)
    recipe = replace(RECIPE, optimizer="sgd", learning_rate=1e30, loss="mse")
    with pytest.raises(DivergedError, match="learning rate"):
        train(recipe, tiny, tmp_path / "run")


@pytest.mark.slow
def test_a_run_is_never_overwritten(uninterrupted, tiny):
    before = (uninterrupted / "best.keras").read_bytes()
    with pytest.raises(RunError, match="a run of that name exists"):
        train(RECIPE, tiny, uninterrupted)
    assert (uninterrupted / "best.keras").read_bytes() == before


@pytest.mark.slow
def test_no_gpu_is_a_clear_error(tmp_path, tiny):
    if extras.load("tensorflow").config.list_physical_devices("GPU"):
        train(replace(RECIPE, epochs=1), tiny, tmp_path / "run", device_choice="gpu")
        return
    with pytest.raises(UsageError, match="TensorFlow sees no GPU"):
        train(RECIPE, tiny, tmp_path / "run", device_choice="gpu")
    with pytest.raises(UsageError, match="allowed: auto, gpu, cpu"):
        train(RECIPE, tiny, tmp_path / "run", device_choice="tpu")


@pytest.mark.slow
@pytest.mark.parametrize(
    "changes",
    [
        {"optimizer": "sgd", "learning_rate": 0.1, "activation": "tanh"},
        {"loss": "mse", "monitor": "val_accuracy"},
        {"loss": "binary_crossentropy", "validation_split": 0.0, "monitor": "loss"},
        {"precision": "mixed"},
    ],
)
def test_every_recipe_learns(tmp_path, tiny, changes):
    recipe = Recipe(**{**RECIPE.to_json(), "epochs": 12, **changes})
    trained = train(recipe, tiny, tmp_path / "run")
    assert trained.test.accuracy > 0.8
    assert extras.load("keras").config.dtype_policy().name == "float32"  # of the process, whatever the run took
    model = load_model(tmp_path / "run" / "best.keras")
    assert {layer.compute_dtype for layer in model.layers} == {"float32"}


@pytest.mark.slow
def test_training_is_as_good_as_keras_fit(xla, tmp_path, tiny):
    """The same recipe through ``model.fit``: the same loss, within what another order of batches makes."""
    from toolkit import models

    keras = extras.load("keras")
    ours = train(replace(UNEVEN, epochs=10), tiny, tmp_path / "run")
    keras.utils.set_random_seed(3)
    plain = models.build("mlp", input_shape=(8, 8, 1), classes=3)
    plain.compile(keras.optimizers.Adam(0.003), "categorical_crossentropy")
    labels = keras.utils.to_categorical(tiny.train.labels, 3)
    history = plain.fit(
        tiny.train.images[..., :] / np.float32(255), labels, batch_size=15, epochs=10, validation_split=0.2, verbose=0
    )
    assert ours.progress.history[-1].loss == pytest.approx(history.history["loss"][-1], rel=0.25)
    assert ours.progress.history[-1].val_loss == pytest.approx(history.history["val_loss"][-1], rel=0.25)
