"""One training on two devices: logical CPU devices, in a process of its own that sees two."""

import subprocess
import sys

import numpy as np
import pytest

from toolkit.cli import call
from toolkit.runs import RUNS

SCRIPT = """
import sys
import tensorflow as tf
(cpu,) = tf.config.list_physical_devices("CPU")
tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
from toolkit.cli import call
for strategy in ("single", "mirrored"):
    assert call(["train", *sys.argv[1:], "--name", strategy, "--strategy", strategy]) == 0
assert call(["train", "--resume", "--name", "mirrored", "--strategy", "mirrored", "--epochs", "4"]) == 0
"""


@pytest.mark.slow
def test_two_devices_learn_what_one_does(here, tiny_npz):
    """192 rows in batches of 25: both devices' shares differ in size, and the last batch has 17 rows."""
    recipe = ["--model", "cnn", "--data", str(tiny_npz), "--epochs", "3", "--batch-size", "25"]
    done = subprocess.run([sys.executable, "-c", SCRIPT, *recipe], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
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
