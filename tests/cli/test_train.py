"""``toolkit train``."""

import dataclasses
import inspect
import json

import numpy as np
import pytest

from toolkit.cli import train
from toolkit.cli.groups import spread
from toolkit.training.recipe import Recipe

MISTAKES = [
    (("train", "--model", "vgg"), "unknown model 'vgg'; allowed: cnn, mlp, tiny, a Python file with build(keras, *, "),
    (("train", "--model", "none.py"), "none.py: no such file"),
    (("train", "--activation", "gelu"), "Invalid value for '--activation': 'gelu' is not one of 'relu', "),
    (("train", "--epochs", "many"), "Invalid value 'many' for '--epochs': Input should be a valid integer"),
    (("train", "--epochs", "0"), "the number of epochs is 0; it must be from 1 to 1,000,000"),
    (("train", "--optimiser", "adam"), "No such option"),
    (("train", "--data", "nowhere"), "no data source and no path is called 'nowhere'"),
    (("train", "--name", "../x"), "cannot name a run"),
    (("train", "--device", "tpu"), "Invalid value for '--device': 'tpu' is not one of 'auto', 'gpu', 'cpu'"),
    (("train", "--resume"), "no run has a finished epoch"),
    (("train", "--resume", "--name", "none"), "no run is called 'none'; known runs: none"),
    (("train", "--augment", "spin"), "unknown augmentation 'spin'; allowed, with these strengths unless others are"),
    (("train", "--augment", "flip=2"), "flip takes no strength"),
    (("train", "--patience", "0"), "the patience, in epochs, is 0; it must be from 1 to 1,000,000"),
    (("train", "--schedule", "step"), "'step' is not one of 'constant', 'cosine', 'plateau'"),
    (("train", "--warmup", "100"), "the warm-up takes 100 of 100 epochs"),
    (("train", "--average", "1"), "the decay of the average is 1.0; it must be above 0 and below 1"),
    (("train", "--teacher", "none"), "no run is called 'none'; known runs: none"),
    (("train", "--teacher", "none.keras"), "none.keras: no such file"),
    pytest.param(
        ("train", "--teacher", "CUT.keras", "--data", "TINY"),
        "CUT.keras: cannot be read as a whole .keras file",
        marks=pytest.mark.slow,
    ),
    (("train", "--freeze-until", "conv_1"), "the model 'cnn' has no weights yet that --freeze-until could keep"),
    (("train", "--model", "none.keras"), "none.keras: no such file"),
    pytest.param(
        ("train", "--model", "CUT.keras", "--data", "TINY"),
        "CUT.keras: cannot be read as a whole .keras file",
        marks=pytest.mark.slow,
    ),
]


@pytest.mark.parametrize(("arguments", "message"), MISTAKES)
def test_a_mistake_gets_one_clear_line_and_exit_code_2(mistake, arguments, message):
    mistake(*arguments, says=message)


def test_its_defaults_are_those_of_the_recipe():
    """Only what was given is passed on: the help must show what is taken otherwise."""
    defaults = {
        name: parameter.default for name, parameter in inspect.signature(spread(train.command)).parameters.items()
    }
    written = {field.name: field.default for field in dataclasses.fields(Recipe)}
    assert {name: defaults[name] for name in written} == written


@pytest.mark.slow
def test_a_full_disk_is_one_clear_line_and_keeps_the_last_state(cli, here, monkeypatch, tiny_npz):
    from toolkit.training import checkpoint

    real, calls = checkpoint.save_state, []

    def fill(path, **rest):
        calls.append(path)
        if len(calls) == 2:
            raise OSError(28, "No space left on device", str(path))
        real(path, **rest)

    monkeypatch.setattr(checkpoint, "save_state", fill)
    code, _, err = cli("train", "--model", "mlp", "--data", tiny_npz, "--name", "x", "--epochs", "3")
    assert code == 2
    assert "No space left on device" in err
    assert len(checkpoint.load_progress(here / "runs" / "x" / "state.npz").history) == 1


@pytest.mark.slow
def test_resume_refuses_another_recipe_and_takes_more_epochs(cli, here, tiny_npz):
    assert cli("train", "--data", tiny_npz, "--model", "mlp", "--name", "a", "--epochs", "1")[0] == 0
    code, _, err = cli("train", "--resume", "--name", "a", "--seed", "7")
    assert code == 2
    assert "started with another seed; only --epochs may change" in err
    code, out, _ = cli("train", "--resume", "--name", "a", "--epochs", "2", "--json")
    document = json.loads(out)
    assert code == 0
    assert document["epochs_run"] == 2
    assert document.keys() >= {
        "schema", "command", "run", "model", "parameters", "epochs_run", "best_epoch", "monitor", "best_value",
        "test_accuracy", "checkpoint", "seconds",
    }  # fmt: skip


@pytest.mark.slow
def test_json_is_the_only_thing_on_stdout(cli, here, tiny_npz):
    _, out, _ = cli("train", "--data", tiny_npz, "--model", "mlp", "--epochs", "1", "--json")
    assert np.isfinite(json.loads(out)["test_accuracy"])


@pytest.mark.slow
def test_rows_of_values_are_not_called_images(cli, here):
    labels = np.arange(80) % 2
    rows = np.stack([labels, 1 - labels], axis=1).astype(np.float32) + np.arange(80, dtype=np.float32)[:, None] / 1e3
    np.savez("values.npz", x_train=rows[:60], y_train=labels[:60], x_test=rows[60:], y_test=labels[60:])
    code, out, err = cli("train", "--data", "values.npz", "--model", "mlp", "--epochs", "1", "--name", "values")
    assert code == 0, err
    assert " of 20 rows (values" in out
    assert "image" not in out
