"""One training on two devices: logical CPU devices, in a process of its own that sees two."""

import subprocess
import sys

import numpy as np
import pytest

from tests.training.made_up import NORMALIZED
from toolkit.cli import call
from toolkit.runs import RUNS

DEVICES = """
import sys
import tensorflow as tf
(cpu,) = tf.config.list_physical_devices("CPU")
tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
"""
MIRRORED = """
from toolkit.cli import call
asked = ["train", "--strategy", "mirrored", "--name", "mirrored"]
assert call([*asked, *sys.argv[1:]]) == 0
assert call([*asked, "--resume", "--epochs", "4"]) == 0
"""
# Batches of 32 rows, of which each device has 16, and one of a single row, of which both learn. The first layer is a
# batch normalization, so its mean is that of the pixels, whatever the weights are.
STATISTICS = """
import keras
import numpy as np
from toolkit.training.average import Average
from toolkit.training.loop import Loop
from toolkit.training.objective import Objective
from toolkit.training.recipe import Recipe

images = tf.constant(np.random.default_rng(0).integers(0, 256, (65, 8, 8, 1)), tf.uint8)
labels = tf.constant(np.arange(65) % 3, tf.int32)
means = []
for strategy in (None, tf.distribute.MirroredStrategy()):
    with strategy.scope() if strategy else tf.device("CPU:0"):
        model = build(keras, input_shape=(8, 8, 1), classes=3, activation="relu")
        optimizer = keras.optimizers.SGD(0.01)
        optimizer.build(model.trainable_variables)
        average = Average(tf, keras, model=model, optimizer=optimizer, decay=0.5)
    objective = Objective(tf, keras, Recipe(), classes=3)
    options = {"objective": objective, "batch_size": 32, "strategy": strategy, "after_step": average.update}
    totals = Loop(tf, model=model, optimizer=optimizer, **options).train(images, labels, np.arange(65))
    assert totals.rows == 65 and 0 <= totals.correct <= 65 and np.isfinite(totals.loss)
    assert all(np.isfinite(one.numpy()).all() for one in model.variables)
    live = model.layers[0].moving_mean.numpy()
    with average.in_place():
        means.append((live, model.layers[0].moving_mean.numpy()))
np.testing.assert_allclose(means[0], means[1], rtol=1e-5)
"""


def run(script, *arguments):
    command = [sys.executable, "-c", DEVICES + script, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done


@pytest.mark.slow
def test_the_statistics_of_batch_normalization_and_their_average_are_those_of_all_rows():
    run(NORMALIZED + STATISTICS)


@pytest.mark.slow
def test_two_mirrored_devices_learn_what_one_does(here, tiny_npz):
    """192 rows in batches of 25: both devices' shares differ in size, and the last batch has 17 rows."""
    recipe = ["--data", str(tiny_npz), "--model", "mlp", "--epochs", "3", "--batch-size", "25"]
    assert call(["train", *recipe, "--name", "single"]) == 0
    done = run(MIRRORED, *recipe)
    assert "device: 2 × CPU, mirrored" in done.stderr
    single, mirrored = (
        np.loadtxt(RUNS / name / "history.csv", delimiter=",", skiprows=1)[:, :5] for name in ("single", "mirrored")
    )
    np.testing.assert_allclose(mirrored[:3], single, rtol=1e-4)
    assert len(mirrored) == 4


@pytest.mark.slow
def test_a_single_device_is_no_mirror(here, tiny_npz, capsys):
    assert call(["train", "--data", str(tiny_npz), "--strategy", "mirrored"]) == 2
    assert "needs at least two GPUs, TensorFlow sees one device" in capsys.readouterr().err
    assert call(["train", "--data", str(tiny_npz), "--strategy", "two"]) == 2
    assert "'two' is not one of 'single', 'mirrored'" in capsys.readouterr().err
    assert not RUNS.exists()
