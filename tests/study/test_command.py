"""``toolkit study`` and ``toolkit report-study`` with runs that are finished already, so that no process is needed."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace
from functools import partial

import pytest

from tests.cli.test_terminals import ASCII
from tests.study.test_study import conduct
from toolkit.data.base import make_dataset
from toolkit.study.grid import Grid
from toolkit.study.trials import TrialState, record_failure

AXES = ("--model", "mlp", "--optimizer", "sgd", "--activation", "relu", "--learning-rate", "0.1", "--epochs", "1")
GRID = Grid(model=("mlp",), optimizer=("sgd",), activation=("relu",), learning_rate=(0.1,), epochs=(1,))


pytestmark = pytest.mark.usefixtures("here")


@pytest.fixture(scope="module")
def template(tmp_path_factory, tiny):
    """Two finished runs."""
    folder = tmp_path_factory.mktemp("template")
    conduct(GRID, tiny, folder)
    return folder


@pytest.fixture
def finished(here, template, tiny, monkeypatch):
    monkeypatch.setattr("toolkit.data.load", lambda data, **options: tiny)
    return shutil.copytree(template, here / "runs" / "study")


@pytest.mark.slow
def test_a_finished_study_is_reported_at_once(cli, finished):
    code, out, err = cli("study", *AXES)
    assert code == 0
    assert "2 of 2 runs finished; 1 epoch each, 1 at a time; in runs/study/" in err
    assert re.search(r"^ e +Cross-entropy trains a better classifier .* +undecided *$", out, re.MULTILINE)
    assert "2 of 2 runs finished; report: runs/study/study.md, runs/study/study.html (4 charts)" in out
    assert (finished / "study.html").is_file()


@pytest.mark.slow
def test_a_terminal_without_its_characters_ends_no_report(finished):
    command = [sys.executable, "-m", "toolkit", "report-study"]
    done = subprocess.run(command, env={**os.environ, **ASCII}, capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, b"")
    assert b"2 of 2 runs finished; report: runs/study/study.md" in done.stdout
    assert done.stdout.isascii()
    assert not (finished / "study.md").read_text(encoding="utf-8").isascii()


@pytest.mark.slow
def test_the_document_has_the_runs_and_the_claims(cli, finished):
    code, out, _ = cli("report-study", "--json", "--output", "elsewhere")
    document = json.loads(out)
    assert code == 0
    assert (document["schema"], document["command"], document["interrupted"]) == (1, "report-study", False)
    weights = ["elsewhere/mlp.keras"]
    assert document["report"] == {"markdown": "elsewhere/study.md", "html": "elsewhere/study.html", "weights": weights}
    assert [claim["letter"] for claim in document["claims"]] == ["a", "b", "c", "d", "e"]
    assert {claim["verdict"] for claim in document["claims"]} == {"undecided"}
    for run in document["runs"]:
        assert run.keys() == {
            "run", "model", "optimizer", "activation", "learning_rate", "loss", "seed", "state", "message",
            "epochs_run", "best_epoch", "best_value", "best_validation_accuracy", "test_accuracy", "seconds",
        }  # fmt: skip


@pytest.mark.slow
def test_a_crash_is_exit_code_1_and_named(cli, finished):
    from toolkit.study import study

    trial = study.read(finished).outcomes[0].trial
    (trial.folder / "metrics.json").unlink()
    record_failure(trial, TrialState.CRASHED, "it was unplugged")
    code, out, err = cli("report-study")
    assert code == 1
    assert f"warning: {trial.folder.name}: it was unplugged" in err
    assert "1 of 2 runs finished, 1 crashed" in out


@pytest.mark.slow
def test_ctrl_c_says_how_to_go_on(cli, finished, monkeypatch, tiny):
    def interrupt(self, due, work):
        assert [trial.recipe.loss for trial in due] == ["binary_crossentropy"]
        raise KeyboardInterrupt
        yield

    monkeypatch.setattr("toolkit.study.executors.processes.Processes.__call__", interrupt)
    code, out, err = cli("study", *AXES, "--loss", "mse,binary_crossentropy")
    assert (code, out) == (130, "")
    assert "interrupted: 1 of 2 runs finished; call the same again to go on" in err


def test_images_in_both_parts_are_refused_before_anything_is_trained(cli, here, monkeypatch, tiny):
    train = tiny.train
    leaky = make_dataset((train.images, train.labels, train.images[:5], train.labels[:5]), name="x", origin="tests")
    monkeypatch.setattr("toolkit.data.load", lambda data, **options: leaky)
    code, _, err = cli("study", *AXES)
    assert code == 2
    assert "5 of the 5 test images are training images too" in err
    assert list(here.iterdir()) == []


@pytest.mark.slow
def test_ctrl_c_of_two_jobs_and_a_second_call_come_to_the_figures_of_one_job(xla, here, tmp_path, tiny, tiny_npz, cli):
    """The real command with real workers: interrupted after an epoch, called again for one more, beside one job alone.

    Both have more epochs before them than they can come to before the other has had one.
    """
    few = ("--model", "mlp", "--optimizer", "sgd", "--learning-rate", "0.1", "--loss", "mse")
    asked = ("study", "--data", str(tiny_npz), *few, "--jobs", "2", "--json", "--epochs")
    with subprocess.Popen(
        [sys.executable, "-m", "toolkit", *asked, "100000"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        preexec_fn=partial(signal.signal, signal.SIGINT, signal.SIG_DFL),
    ) as process:
        while len(list(here.glob("runs/study/mlp-*/history.csv"))) < 2:
            assert process.poll() is None, process.stderr.read()
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate()
    assert process.returncode == 130
    assert re.search(rb"interrupted: 0 of 2 runs finished; call the same again to go on", err)
    interrupted = json.loads(out)
    assert interrupted["interrupted"] is True
    begun = [run["epochs_run"] for run in interrupted["runs"]]
    assert min(begun) > 0
    epochs = max(begun) + 1
    code, out, err = cli(*asked, epochs)
    assert code == 0, err
    grid = replace(GRID, activation=("relu", "sigmoid"), loss=("mse",), epochs=(epochs,))
    alone, _ = conduct(grid, tiny, tmp_path / "alone")
    for run, beside in zip(json.loads(out)["runs"], alone.outcomes, strict=True):
        assert (run["state"], run["epochs_run"]) == ("finished", epochs)
        assert run["best_value"] == pytest.approx(beside.progress.best_value, rel=1e-4)
        assert run["test_accuracy"] == beside.test_accuracy
