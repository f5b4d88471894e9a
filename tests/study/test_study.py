"""A study from its first call to its last: what is trained, what is not trained again, and what a failure costs."""

import json
import subprocess
import sys
import time
from dataclasses import replace
from math import nan
from pathlib import Path

import pytest

from tests.conftest import tiny_arrays
from toolkit import runs
from toolkit.convention import parse
from toolkit.data.base import make_dataset
from toolkit.entries import RecordedRecipe
from toolkit.errors import BusyError, DataError, RunError, UsageError
from toolkit.files import sha256, write_json
from toolkit.runtimes.keras.loading import allowing
from toolkit.study import outcome, study, trials
from toolkit.study.executors.base import ENDED, EPOCH, STARTED, Event
from toolkit.study.grid import Grid
from toolkit.study.trials import TrialState
from toolkit.training.checkpoint import STATE, Epoch, TrainingProgress, save_state

ONE = Grid(
    model=("mlp",), optimizer=("adam",), activation=("relu",), learning_rate=(0.01,), loss=("mse",), epochs=(2,)
)  # fmt: skip
TWO = replace(ONE, loss=("categorical_crossentropy", "mse"))


class Here:
    """Carries out runs in this process, and remembers which; ``jobs`` at a time in name only."""

    jobs = 1

    def __init__(self, dataset, *, stop_after=None):
        self.dataset, self.stop_after, self.trained = dataset, stop_after, []

    def __call__(self, due, work):
        for trial in due:
            yield Event(trial, STARTED)
            epochs = []
            trials.perform(trial, self.dataset, device=work.device, allow_overlap=False, on_epoch=self.count(epochs))
            self.trained += [(trial.folder.name, epoch.epoch) for epoch in epochs]
            yield from (Event(trial, EPOCH, epoch) for epoch in epochs)
            yield Event(trial, ENDED)

    def count(self, epochs):
        def on_epoch(epoch):
            epochs.append(epoch)

        return on_epoch


def conduct(grid, dataset, folder, executor=None):
    executor = executor or Here(dataset)
    of = study.conduct(study.begin(grid, dataset, folder, jobs=executor.jobs), executor)
    return of, executor


@pytest.fixture(scope="module")
def finished(tmp_path_factory, tiny):
    folder = tmp_path_factory.mktemp("runs") / "study"
    return conduct(ONE, tiny, folder)[0]


@pytest.mark.slow
def test_a_run_of_a_study_is_a_run_that_export_takes(finished):
    from toolkit.export.sources import resolve

    (one,) = finished.outcomes
    assert one.state == TrialState.FINISHED
    assert resolve(str(one.trial.folder)).recipe == RecordedRecipe(**one.trial.recipe.to_json())
    assert (one.trial.folder / "gradients.csv").is_file()
    assert json.loads((finished.folder / "study.json").read_text())["runs"][0]["test_accuracy"] == one.test_accuracy


@pytest.mark.slow
def test_a_finished_run_is_not_trained_again_and_its_lock_goes_where_a_kill_has_left_it(finished, tiny):
    lock = finished.outcomes[0].trial.folder / ".lock"
    lock.touch()
    of, executor = conduct(ONE, tiny, finished.folder)
    assert not lock.exists()
    assert executor.trained == []
    assert of.outcomes[0].metrics == finished.outcomes[0].metrics


@pytest.mark.slow
def test_other_data_or_another_recipe_is_another_run(finished, tiny):
    rows = tiny.train.rows(slice(0, 239))
    other = make_dataset((rows.images, rows.labels, tiny.test.images, tiny.test.labels), name="other", origin="tests")
    for grid, dataset in ((ONE, other), (replace(ONE, loss=("categorical_crossentropy",)), tiny)):
        of = study.begin(grid, dataset, finished.folder, jobs=1)
        assert [one.state for one in of.outcomes] == [TrialState.WAITING]


@pytest.mark.slow
def test_the_name_of_a_run_is_its_configuration_and_a_digest(finished, tiny):
    (one,) = trials.grid_trials(ONE, tiny.digests, finished.folder)
    assert one.folder.name.startswith("mlp-adam-relu-0.01-mse-seed0-")
    assert one.folder == trials.grid_trials(replace(ONE, epochs=(9,)), tiny.digests, finished.folder)[0].folder


@pytest.mark.slow
def test_more_epochs_go_on_and_fewer_are_refused(tmp_path, tiny):
    conduct(ONE, tiny, tmp_path)
    of, executor = conduct(replace(ONE, epochs=(3,)), tiny, tmp_path)
    assert [epoch for _, epoch in executor.trained] == [3]
    assert of.outcomes[0].state == TrialState.FINISHED
    with pytest.raises(UsageError, match="has 3 epochs already, 2 were asked for; ask for 3 or more, or choose"):
        study.begin(ONE, tiny, tmp_path, jobs=1)


@pytest.mark.slow
def test_a_run_that_diverges_is_a_result_and_is_not_tried_again(tmp_path, tiny, monkeypatch):
    monkeypatch.setattr("toolkit.training.recipe.MOST_LEARNING_RATE", 1e30)
    grid = replace(ONE, optimizer=("sgd",), learning_rate=(1e30, 0.1))
    of, _ = conduct(grid, tiny, tmp_path)
    assert [one.state for one in of.outcomes] == [TrialState.DIVERGED, TrialState.FINISHED]
    assert "learning rate" in of.outcomes[0].message
    assert of.summary == "1 of 2 runs finished, 1 diverged"
    assert conduct(grid, tiny, tmp_path)[1].trained == []


@pytest.mark.slow
def test_a_run_that_crashes_costs_itself_alone_and_is_tried_again(tmp_path, tiny, monkeypatch):
    from toolkit.training import epochs

    real = epochs.Epochs._epoch

    def crash(self, number):
        if number == 2 and self._recipe.loss == "mse":
            raise MemoryError("no memory")
        return real(self, number)

    with monkeypatch.context() as patch:
        patch.setattr(epochs.Epochs, "_epoch", crash)
        of, _ = conduct(TWO, tiny, tmp_path)
    assert [one.state for one in of.outcomes] == [TrialState.FINISHED, TrialState.CRASHED]
    assert of.outcomes[1].message == "MemoryError: no memory"
    of, executor = conduct(TWO, tiny, tmp_path)
    assert [epoch for _, epoch in executor.trained] == [2]
    assert [one.state for one in of.outcomes] == [TrialState.FINISHED, TrialState.FINISHED]


def test_data_that_changed_under_way_crash_the_run_and_train_nothing(tmp_path, tiny):
    (trial,) = trials.grid_trials(ONE, {**tiny.digests, "train_labels": "0"}, tmp_path)
    trials.perform(trial, tiny, device="cpu", allow_overlap=False, on_epoch=pytest.fail)
    assert [path.name for path in trial.folder.iterdir()] == ["failure.json"]


def test_two_studies_do_not_work_in_one_folder(tmp_path, tiny):
    of = study.begin(ONE, tiny, tmp_path, jobs=1)

    def meddling(due, work):
        yield Event(due[0], STARTED)
        with pytest.raises(
            BusyError, match=r"'toolkit study' is at work there \(process \d+, since .*\); wait for its end"
        ):
            study.conduct(study.begin(replace(ONE, epochs=(9,)), tiny, tmp_path, jobs=7), Here(tiny))
        assert study.read(tmp_path).grid == ONE
        yield Event(due[0], ENDED)

    study.conduct(of, meddling)


def test_an_executor_is_closed_when_a_study_is_interrupted(tmp_path, tiny):
    closed = []

    def endless(due, work):
        try:
            while True:
                yield Event(due[0], STARTED)
        finally:
            closed.append(True)

    def interrupt(event):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        study.conduct(study.begin(ONE, tiny, tmp_path, jobs=1), endless, on_event=interrupt)
    assert closed == [True]
    assert study.read(tmp_path).outcomes[0].state == TrialState.WAITING


def test_images_that_are_in_both_parts_are_refused(tmp_path):
    train, labels, _, _ = tiny_arrays()
    leaky = make_dataset((train, labels, train[:9], labels[:9]), name="leaky", origin="tests")
    with pytest.raises(DataError, match="9 of the 9 test images are training images too"):
        study.begin(ONE, leaky, tmp_path, jobs=1)
    assert study.begin(ONE, leaky, tmp_path, jobs=1, allow_overlap=True).overlap[0]["count"] == 9


def test_a_run_that_was_never_validated_is_none_of_a_study(tmp_path):
    (trial,) = trials.grid_trials(ONE, {}, tmp_path)
    of = TrainingProgress([Epoch(1, 0.5, 0.8, nan, nan, 1.0)], [], 1, 0.5)
    save_state(trial.folder / STATE, variables={}, progress=of)
    with pytest.raises(RunError, match=r"state\.npz: has an epoch that was not validated; start the training anew"):
        outcome.read(trial)


def test_a_folder_without_a_study_is_said_to_be_one(tmp_path):
    with pytest.raises(RunError, match="no study is there"):
        study.read(tmp_path)
    (tmp_path / "study.json").write_text('{"schema": 1}')
    with pytest.raises(RunError, match=r"study\.json: not the document of a run"):
        study.read(tmp_path)


LAYERS = """
import keras

class Scaled(keras.layers.Layer):
    def call(self, images):
        return images / 255
"""
NET = """
from killed_layers import Scaled

def build(keras, *, input_shape, classes, activation):
    hidden = keras.layers.Dense(8, activation=activation)
    answer = keras.layers.Dense(classes, activation="softmax")
    return keras.Sequential([keras.Input(input_shape), Scaled(), keras.layers.Flatten(), hidden, answer])
"""


@pytest.mark.slow
def test_a_study_that_is_killed_leaves_no_process_and_goes_on_where_it_was(here, tiny, tiny_npz):
    """SIGKILL of the whole command after an epoch; what is left is trained then, and nothing else.

    Its network is of one's own, with a layer of another file and pixels from 0 to 255.
    """
    (here / "killed_layers.py").write_text(LAYERS)
    (here / "killed_net.py").write_text(NET)
    own = ("--model", "killed_net.py", "--import", "killed_layers.py", "--input-range", "0..255")
    axes = (*own, "--optimizer", "adam", "--activation", "relu", "--learning-rate", "0.01", "--loss", "mse")
    command = [sys.executable, "-m", "toolkit", "study", "--data", str(tiny_npz), *axes, "--epochs", "4000"]
    folder = here / "runs" / "study"
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as process:
        while not list(folder.glob("killed_net-*/history.csv")):
            assert process.poll() is None, process.stderr.read()
            time.sleep(0.05)
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
        process.kill()
    assert len(children) == 1
    while Path(f"/proc/{children[0]}/cmdline").exists() and Path(f"/proc/{children[0]}/cmdline").read_text():
        time.sleep(0.05)  # it ends with the pipe from its parent
    (before,) = study.read(folder).outcomes
    done = len(before.progress.history)
    assert (before.state, done > 0) == (TrialState.UNFINISHED, True)
    grid = replace(ONE, model=("killed_net.py",), input_range="0..255", epochs=(done + 1,))
    with pytest.raises(
        UsageError, match=r"other Python files \(killed_layers\.py\); give the same by --import, or choose"
    ):
        study.begin(grid, tiny, folder, jobs=1)
    with allowing(["killed_layers.py"]):
        of, executor = conduct(grid, tiny, folder)
    assert [epoch for _, epoch in executor.trained] == [done + 1]
    assert runs.convention_of(of.outcomes[0].trial.folder) == parse("0..255")
    assert of.outcomes[0].progress.history[:done] == before.progress.history


def test_a_file_of_one_s_own_names_its_runs_and_must_stay_as_it_was(here, tiny):
    grid = replace(ONE, model=("nets/my_net.py",))
    with pytest.raises(UsageError, match=r"nets/my_net\.py: no such file"):
        study.begin(grid, tiny, here / "study", jobs=1)
    (here / "nets").mkdir()
    (here / "nets" / "my_net.py").write_text("def build(): pass\n")
    (one,) = study.begin(grid, tiny, here / "study", jobs=1).outcomes
    assert one.trial.folder.parent == here / "study"
    assert one.trial.folder.name.startswith("my_net-adam-relu-0.01-mse-seed0-")
    data = {"name": "tiny", "origin": "tiny.npz", "digests": {}}
    config = {"recipe": one.trial.recipe.to_json(), "data": data, "started": "2026-11-27"}
    config["model_sha256"] = sha256(here / "nets" / "my_net.py")
    write_json(one.trial.folder / "config.json", config)
    assert study.begin(grid, tiny, here / "study", jobs=1).due
    (here / "nets" / "my_net.py").write_text("def build(): ...\n")
    with pytest.raises(UsageError, match=r"was trained with another my_net\.py; choose another --name$"):
        study.begin(grid, tiny, here / "study", jobs=1)
