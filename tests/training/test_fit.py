"""Training on the tiny data: resumed, streamed, interrupted, killed and diverged."""

import csv
import json
import math
import shutil
import signal
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from toolkit.data.base import make_dataset
from toolkit.errors import DivergedError, RunError, UsageError
from toolkit.runtimes.keras import load_model
from toolkit.training import fit
from toolkit.training.fit import train
from toolkit.training.recipe import Recipe

# 240 rows, 192 to train: twelve batches of 15 and a smaller last one of 12.
RECIPE = Recipe(model="mlp", epochs=4, batch_size=15, learning_rate=0.003, seed=3)


def weights(folder):
    return load_model(folder / "best.keras").get_weights()


def state(folder):
    with np.load(folder / "state.npz") as arrays:
        return {key: arrays[key] for key in arrays.files if key != "progress"}


def assert_same(left, right):
    assert left.keys() == right.keys()
    for key in left:
        np.testing.assert_array_equal(left[key], right[key])


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory, tiny):
    folder = tmp_path_factory.mktemp("runs") / "whole"
    return train(RECIPE, tiny, folder)


def test_a_run_leaves_its_folder_whole(uninterrupted, tiny):
    folder = uninterrupted.folder
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


def test_the_best_model_scores_what_the_metrics_say(uninterrupted, tiny):
    probabilities = load_model(uninterrupted.folder / "best.keras").predict(tiny.test.images / 255.0, verbose=0)
    assert np.mean(probabilities.argmax(axis=1) == tiny.test.labels) == uninterrupted.test.accuracy


def test_the_best_model_is_in_float32_and_carries_no_optimizer(uninterrupted):
    model = load_model(uninterrupted.folder / "best.keras")
    assert not model.compiled
    assert {layer.compute_dtype for layer in model.layers} == {"float32"}


@pytest.mark.slow
@pytest.mark.parametrize("model", ["mlp", "cnn"])
def test_a_resumed_run_ends_with_the_same_weights(tmp_path, tiny, model):
    recipe = replace(RECIPE, model=model)
    train(recipe, tiny, tmp_path / "whole")
    train(replace(recipe, epochs=2), tiny, tmp_path / "parts")
    resumed = train(recipe, tiny, tmp_path / "parts", resume=True)
    assert len(resumed.progress.history) == 4
    assert_same(state(tmp_path / "whole"), state(tmp_path / "parts"))
    for left, right in zip(weights(tmp_path / "whole"), weights(tmp_path / "parts"), strict=True):
        np.testing.assert_array_equal(left, right)


def gradients(folder):
    return list(csv.DictReader((folder / "gradients.csv").read_text().splitlines()))


@pytest.mark.slow
def test_measured_gradients_change_no_weight_and_go_on_in_a_resumed_run(tmp_path, tiny, uninterrupted):
    train(replace(RECIPE, epochs=2), tiny, tmp_path / "parts", gradients=True)
    train(RECIPE, tiny, tmp_path / "parts", resume=True)
    assert_same(state(uninterrupted.folder), state(tmp_path / "parts"))
    rows = gradients(tmp_path / "parts")
    assert [row["epoch"] for row in rows] == ["0", "1", "2", "3", "4"]
    assert list(rows[0]) == ["epoch", "dense_1", "probabilities"]
    assert all(float(row[layer]) > 0 for row in rows for layer in ("dense_1", "probabilities"))


def test_the_gradient_norm_of_the_last_layer_is_that_of_the_formula(tiny):
    """Of softmax and cross-entropy: the mean of (probability - target) times the layer's input."""
    from toolkit import extras, models
    from toolkit.training.loop import Loop

    tf, keras = extras.load("tensorflow"), extras.load("keras")
    keras.utils.set_random_seed(0)
    model = models.build("mlp", input_shape=(8, 8, 1), classes=3)
    loop = Loop(tf, keras, model=model, optimizer=None, loss="categorical_crossentropy", batch_size=1)
    rows = tiny.train.rows(slice(0, 50))
    hidden = keras.Model(model.inputs[0], model.layers[-1].input)(rows.images / np.float32(255)).numpy()
    excess = model(rows.images / np.float32(255)).numpy() - np.eye(3)[rows.labels]
    expected = math.hypot(np.linalg.norm(hidden.T @ excess / 50), np.linalg.norm(excess.mean(axis=0)))
    norms = loop.gradient_norms(rows.images, rows.labels)
    assert norms["probabilities"] == pytest.approx(expected, rel=1e-5)


@pytest.mark.slow
def test_streamed_data_give_the_same_weights(tmp_path, tiny, monkeypatch, uninterrupted):
    monkeypatch.setattr("toolkit.training.feed.available_memory_bytes", lambda: 100)
    monkeypatch.setattr("toolkit.training.feed.STREAM_BYTES", 64 * 40)
    started = []
    train(RECIPE, tiny, tmp_path / "streamed", on_start=started.append)
    assert not started[0].resident
    assert_same(state(uninterrupted.folder), state(tmp_path / "streamed"))


@pytest.mark.slow
def test_a_run_cut_into_short_calls_gives_the_same_weights(tmp_path, tiny, monkeypatch, uninterrupted):
    monkeypatch.setattr(fit, "FIRST_BLOCK_BATCHES", 2)
    monkeypatch.setattr(fit, "RESPONSIVE_S", 0.0)
    train(RECIPE, tiny, tmp_path / "cut")
    assert_same(state(uninterrupted.folder), state(tmp_path / "cut"))


@pytest.mark.slow
def test_ctrl_c_keeps_what_is_finished(tmp_path, tiny):
    def interrupt(epoch):
        if epoch.epoch == 2:
            raise KeyboardInterrupt

    stopped = train(RECIPE, tiny, tmp_path / "run", on_epoch=interrupt)
    assert stopped.interrupted
    assert len(stopped.progress.history) == 2
    assert (tmp_path / "run" / "loss.png").is_file()
    resumed = train(RECIPE, tiny, tmp_path / "run", resume=True)
    assert not resumed.interrupted
    assert len(resumed.progress.history) == 4


@pytest.mark.slow
def test_ctrl_c_before_the_first_epoch_keeps_nothing_and_leaves_the_name_free(tmp_path, tiny):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fit._Run, "_epoch", lambda self, number: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            train(RECIPE, tiny, tmp_path / "run")
    with pytest.raises(RunError, match="no epoch was finished there"):
        train(RECIPE, tiny, tmp_path / "run", resume=True)
    assert not train(replace(RECIPE, epochs=1), tiny, tmp_path / "run").interrupted


@pytest.mark.slow
def test_a_kill_leaves_a_whole_checkpoint_and_a_run_that_resumes(tmp_path, tiny_npz, tiny):
    """SIGKILL at the worst instant: the temporary best.keras is written and not yet in its place."""
    script = f"""
import os, signal
from pathlib import Path
from toolkit import data
from toolkit.files import writing
from toolkit.training import checkpoint
from toolkit.training.fit import train
from toolkit.training.recipe import Recipe
saves = []
write = writing._sync
def sync_then_die(path):
    write(path)
    if path.suffix == ".keras" and len(saves) == 1:
        os.kill(os.getpid(), signal.SIGKILL)
    if path.suffix == ".keras":
        saves.append(path)
writing._sync = sync_then_die
dataset = data.load({str(tiny_npz)!r}, warn=print)
train(Recipe(**{RECIPE.to_json()!r}), dataset, Path({str(tmp_path / "run")!r}))
"""
    killed = subprocess.run([sys.executable, "-c", script], check=False, capture_output=True)
    assert killed.returncode == -signal.SIGKILL
    folder = tmp_path / "run"
    assert load_model(folder / "best.keras").count_params() > 0
    assert [path for path in folder.iterdir() if ".partial" in path.name]
    whole = train(RECIPE, tiny, tmp_path / "whole")
    resumed = train(RECIPE, tiny, folder, resume=True)
    assert not [path for path in folder.iterdir() if ".partial" in path.name]
    assert resumed.progress.best_value == whole.progress.best_value
    assert_same(state(folder), state(whole.folder))


@pytest.mark.slow
def test_a_loss_that_is_no_number_stops_the_run_and_keeps_the_best(tmp_path, tiny, monkeypatch):
    real = fit._Run._pass

    def poisoned(self, feed, run, order, batch_size):
        totals = real(self, feed, run, order, batch_size)
        return replace(totals, loss=math.nan) if len(self._progress.history) == 1 else totals

    monkeypatch.setattr(fit._Run, "_pass", poisoned)
    with pytest.raises(
        DivergedError, match=r"epoch 2 is nan: the learning rate 0\.003 is likely too high, try 0\.0003"
    ):
        train(RECIPE, tiny, tmp_path / "run")
    assert load_model(tmp_path / "run" / "best.keras").count_params() > 0


@pytest.mark.slow
def test_a_real_divergence_is_noticed(tmp_path, tiny):
    recipe = replace(RECIPE, optimizer="sgd", learning_rate=1e30, loss="mse")
    with pytest.raises(DivergedError, match="learning rate"):
        train(recipe, tiny, tmp_path / "run")


def test_a_run_is_never_overwritten(uninterrupted, tiny):
    before = (uninterrupted.folder / "best.keras").read_bytes()
    with pytest.raises(RunError, match="a run of that name exists"):
        train(RECIPE, tiny, uninterrupted.folder)
    assert (uninterrupted.folder / "best.keras").read_bytes() == before


def test_resuming_with_another_recipe_or_other_data_is_refused(uninterrupted, tiny):
    with pytest.raises(RunError, match="another recipe or other data"):
        train(replace(RECIPE, seed=4), tiny, uninterrupted.folder, resume=True)
    rows = tiny.train.rows(slice(0, 200))
    arrays = (rows.images, rows.labels, tiny.test.images, tiny.test.labels)
    other = make_dataset(arrays, name="other", origin="tests")
    with pytest.raises(RunError, match="another recipe or other data"):
        train(RECIPE, other, uninterrupted.folder, resume=True)


def test_fewer_epochs_than_are_done_are_refused(uninterrupted, tiny):
    before = (uninterrupted.folder / "config.json").read_bytes()
    with pytest.raises(RunError, match="has 4 epochs already, 3 were asked for"):
        train(replace(RECIPE, epochs=3), tiny, uninterrupted.folder, resume=True)
    assert (uninterrupted.folder / "config.json").read_bytes() == before


@pytest.mark.slow
@pytest.mark.parametrize("keep", [0, 500, -20])
def test_a_damaged_state_is_refused(tmp_path, tiny, keep):
    train(replace(RECIPE, epochs=1), tiny, tmp_path / "run")
    path = tmp_path / "run" / "state.npz"
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(RunError, match=r"state\.npz: (cannot be read|an empty file)"):
        train(RECIPE, tiny, tmp_path / "run", resume=True)


def test_no_gpu_is_a_clear_error(tmp_path, tiny):
    from toolkit import extras

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
        {"optimizer": "sgd", "learning_rate": 0.1},
        {"loss": "mse"},
        {"loss": "binary_crossentropy"},
        {"activation": "tanh"},
        {"precision": "mixed"},
        {"monitor": "val_accuracy"},
        {"validation_split": 0.0, "monitor": "loss"},
    ],
)
def test_every_recipe_learns(tmp_path, tiny, changes):
    recipe = Recipe(**{**RECIPE.to_json(), "epochs": 12, **changes})
    trained = train(recipe, tiny, tmp_path / "run")
    assert trained.test.accuracy > 0.8
    model = load_model(tmp_path / "run" / "best.keras")
    assert {layer.compute_dtype for layer in model.layers} == {"float32"}


@pytest.mark.slow
def test_training_is_as_good_as_keras_fit(tmp_path, tiny):
    """The same recipe through ``model.fit``: the same loss, within what another order of batches makes."""
    from toolkit import extras, models

    keras = extras.load("keras")
    ours = train(replace(RECIPE, epochs=10), tiny, tmp_path / "run")
    keras.utils.set_random_seed(3)
    plain = models.build("mlp", input_shape=(8, 8, 1), classes=3)
    plain.compile(keras.optimizers.Adam(0.003), "categorical_crossentropy")
    labels = keras.utils.to_categorical(tiny.train.labels, 3)
    history = plain.fit(
        tiny.train.images[..., :] / np.float32(255), labels, batch_size=15, epochs=10, validation_split=0.2, verbose=0
    )
    assert ours.progress.history[-1].loss == pytest.approx(history.history["loss"][-1], rel=0.25)
    assert ours.progress.history[-1].val_loss == pytest.approx(history.history["val_loss"][-1], rel=0.25)


def test_the_process_is_not_left_with_another_precision_policy(uninterrupted):
    from toolkit import extras

    assert extras.load("keras").config.dtype_policy().name == "float32"


def by_class(dataset):
    """The same data with their training rows sorted by class."""
    order = np.argsort(dataset.train.labels, kind="stable")
    rows = dataset.train.rows(order)
    arrays = (rows.images, rows.labels, dataset.test.images, dataset.test.labels)
    return make_dataset(arrays, name="sorted", origin="sorted.npz")


def test_rows_sorted_by_class_are_learned_as_well_as_others_and_resumed(tmp_path, tiny):
    said = []
    given = by_class(tiny)
    train(replace(RECIPE, epochs=2), given, tmp_path / "run", warn=said.append)
    trained = train(RECIPE, given, tmp_path / "run", resume=True)
    assert trained.test.accuracy > 0.9
    assert trained.progress.history[-1].val_accuracy > 0.9
    assert said == [
        "sorted.npz: the last training images do not hold every class; 48 of 240 were drawn by class to validate with"
    ]
    config = json.loads((tmp_path / "run" / "config.json").read_text())
    assert config["validation"] == {"rows": 48, "how": "drawn by class"}


def test_validation_images_of_the_data_validate_and_all_training_rows_are_learned_from(tmp_path, tiny):
    """Their labels are wrong on purpose: only they can have an accuracy near 0."""
    wrong = (tiny.test.images[:60], (tiny.test.labels[:60] + 1) % 3)
    arrays = (tiny.train.images, tiny.train.labels, tiny.test.images[60:], tiny.test.labels[60:])
    given = make_dataset(arrays, validation=wrong, name="given", origin="given.npz")
    trained = train(replace(RECIPE, monitor="accuracy"), given, tmp_path / "run")
    assert trained.progress.history[-1].val_accuracy < 0.1
    assert trained.test.accuracy > 0.9
    config = json.loads((tmp_path / "run" / "config.json").read_text())
    assert config["validation"] == {"rows": 60, "how": "given by the data"}
    assert set(config["data"]["digests"]) == set(given.digests)


def test_a_run_is_not_gone_on_with_other_validation_rows(tmp_path, uninterrupted, tiny):
    folder = shutil.copytree(uninterrupted.folder, tmp_path / "run")
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, "validation": {"rows": 48, "how": "drawn by class"}}))
    with pytest.raises(RunError, match="another recipe or other data"):
        train(replace(RECIPE, epochs=5), tiny, folder, resume=True)
