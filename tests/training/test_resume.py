"""Runs that go on: after an interruption or a kill as if nothing had been, and not from what does not fit them."""

import csv
import json
import shutil
from dataclasses import replace

import numpy as np
import pytest

from tests.training.made_up import RECIPE, UNEVEN, assert_same, state, weights
from toolkit.data.base import make_dataset
from toolkit.errors import RunError
from toolkit.files import writing
from toolkit.runtimes.keras.loading import load_model
from toolkit.training import epochs
from toolkit.training.fit import train

pytestmark = pytest.mark.slow


def test_a_resumed_run_ends_with_the_same_weights(tmp_path, tiny):
    recipe = replace(UNEVEN, model="cnn")
    whole = train(recipe, tiny, tmp_path / "whole").folder
    train(replace(recipe, epochs=2), tiny, tmp_path / "parts")
    resumed = train(recipe, tiny, tmp_path / "parts", resume=True)
    assert len(resumed.progress.history) == 4
    assert_same(state(whole), state(tmp_path / "parts"))
    for left, right in zip(weights(whole), weights(tmp_path / "parts"), strict=True):
        np.testing.assert_array_equal(left, right)


def gradients(folder):
    return list(csv.DictReader((folder / "gradients.csv").read_text().splitlines()))


def test_measured_gradients_change_no_weight_and_go_on_in_a_resumed_run(tmp_path, tiny, uninterrupted):
    train(replace(RECIPE, epochs=2), tiny, tmp_path / "parts", gradients=True)
    train(RECIPE, tiny, tmp_path / "parts", resume=True)
    assert_same(state(uninterrupted), state(tmp_path / "parts"))
    rows = gradients(tmp_path / "parts")
    assert [row["epoch"] for row in rows] == ["0", "1", "2", "3", "4"]
    assert list(rows[0]) == ["epoch", "dense_1", "probabilities"]
    assert all(float(row[layer]) > 0 for row in rows for layer in ("dense_1", "probabilities"))


def test_ctrl_c_keeps_what_is_finished(tmp_path, tiny, uninterrupted):
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
    assert_same(state(uninterrupted), state(tmp_path / "run"))


def test_ctrl_c_before_the_first_epoch_keeps_nothing_and_leaves_the_name_free(tmp_path, tiny):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(epochs.Epochs, "_epoch", lambda self, number: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            train(RECIPE, tiny, tmp_path / "run")
    with pytest.raises(RunError, match="no epoch was finished there"):
        train(RECIPE, tiny, tmp_path / "run", resume=True)
    assert not train(replace(RECIPE, epochs=1), tiny, tmp_path / "run").interrupted


class KilledError(BaseException):
    """What ends a training for good: nothing of it is saved."""


def test_a_kill_leaves_a_whole_checkpoint_and_a_run_that_resumes(tmp_path, tiny, uninterrupted, monkeypatch):
    """At the worst instant: the temporary best.keras is written and not yet in its place.

    What lies there then is what SIGKILL leaves.
    """
    folder, saves, write = tmp_path / "killed", [], writing._sync

    def sync_then_die(path):
        write(path)
        if path.suffix == ".keras":
            saves.append(path)
            if len(saves) == 2:
                shutil.copytree(tmp_path / "run", folder)
                raise KilledError

    with monkeypatch.context() as patch:
        patch.setattr(writing, "_sync", sync_then_die)
        with pytest.raises(KilledError):
            train(RECIPE, tiny, tmp_path / "run")
    assert load_model(folder / "best.keras").count_params() > 0
    assert [path for path in folder.iterdir() if ".partial" in path.name]
    resumed = train(RECIPE, tiny, folder, resume=True)
    assert not [path for path in folder.iterdir() if ".partial" in path.name]
    assert resumed.progress.best_value == json.loads((uninterrupted / "metrics.json").read_text())["best_value"]
    assert_same(state(folder), state(uninterrupted))


def test_resuming_with_another_recipe_or_other_data_is_refused(uninterrupted, tiny):
    with pytest.raises(RunError, match="another recipe or other data"):
        train(replace(RECIPE, seed=4), tiny, uninterrupted, resume=True)
    rows = tiny.train.rows(slice(0, 200))
    arrays = (rows.images, rows.labels, tiny.test.images, tiny.test.labels)
    other = make_dataset(arrays, name="other", origin="tests")
    with pytest.raises(RunError, match="another recipe or other data"):
        train(RECIPE, other, uninterrupted, resume=True)


def test_fewer_epochs_than_are_done_are_refused(uninterrupted, tiny):
    before = (uninterrupted / "config.json").read_bytes()
    with pytest.raises(RunError, match="has 4 epochs already, 3 were asked for"):
        train(replace(RECIPE, epochs=3), tiny, uninterrupted, resume=True)
    assert (uninterrupted / "config.json").read_bytes() == before


@pytest.mark.parametrize("keep", [0, 500, -20])
def test_a_damaged_state_is_refused(uninterrupted, tiny, keep):
    path = uninterrupted / "state.npz"
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(RunError, match=r"state\.npz: (cannot be read|an empty file)"):
        train(replace(RECIPE, epochs=5), tiny, uninterrupted, resume=True)
