"""The whole road through the command line, on real digits and starting from an empty folder."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from toolkit.cli import call

pytestmark = pytest.mark.road

# The figures of benchmarks are not looked at: one process measures each artifact.
QUICKLY = ("--seconds", "0.05", "--processes", "1")
PROGRAM = """
from functools import partial
from toolkit import api
from toolkit.__main__ import main
from toolkit.bench import explain

api.bench = partial(api.bench, processes=1)
explain._puzzles = lambda record, result: False
main()
"""
LAYERS = """
import keras


class Halved(keras.layers.Layer):
    def call(self, images):
        return images / 2
"""
NET = """
import keras
from layers_of_the_road import Halved


class Doubled(keras.layers.Layer):
    def call(self, images):
        return images * 2


def build(keras, *, input_shape, classes, activation):
    layers = keras.layers
    return keras.Sequential([
        keras.Input(input_shape[:2]), Halved(), Doubled(), layers.Flatten(),
        layers.Dense(64, activation=activation), layers.Dense(classes, activation="softmax"),
    ])
"""


@pytest.fixture(scope="module")
def walked(tmp_path_factory):
    """``toolkit run`` in an empty folder and in a process of its own; returns both."""
    folder = tmp_path_factory.mktemp("road")
    arguments = ("run", "--data", "sample", "--epochs", "3", "--seconds", "0.05", "--name", "road", "--json")
    command = [sys.executable, "-c", PROGRAM, *arguments]
    done = subprocess.run(command, cwd=folder, env=os.environ, capture_output=True, text=True, check=False)
    return folder, done


@pytest.fixture
def toolkit(capfd, monkeypatch, brief):
    """Call toolkit in a folder, in this process, which loads TensorFlow once; returns what it prints."""

    def run(folder, *arguments):
        monkeypatch.chdir(folder)
        code = call(list(map(str, arguments)))
        out, err = capfd.readouterr()
        assert code == 0, out + err
        return (json.loads(out) if "--json" in arguments else out), err

    return run


def test_the_road_is_walked_in_one_command(walked):
    folder, done = walked
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert document["train"]["test_accuracy"] > 0.9
    assert len(document["export"]["artifacts"]) == 6
    assert document["verify"]["dataset"]["name"] == "sample"
    assert document["verify"]["verdict"] in ("pass", "inconclusive")
    assert len(document["bench"]["results"]) == 6
    assert document["bench"]["recommended"]["artifact"].startswith("runs/road/exported/cnn/cnn-")
    assert (folder / "runs" / "road" / "exported" / "cnn" / "README.md").is_file()
    assert document["report"] == {"report": "runs/road/report.html", "pdf": None, "absent": {}}
    assert (folder / "runs" / "road" / "report.html").read_text().startswith("<!DOCTYPE html>")
    assert sorted(path.name for path in folder.iterdir()) == ["runs"]


def test_nothing_but_warnings_and_notes_is_on_the_screen_of_errors(walked):
    _, done = walked
    for line in done.stderr.splitlines():
        assert line.startswith(("data: ", "device: ", "exporting ", "  cnn-", "warning: ")), line


def test_a_run_of_the_road_is_exported_again_and_verified(walked, toolkit):
    folder, _ = walked
    exported, _ = toolkit(folder, "export", "--format", "tflite", "--quantize", "int8", "--json")
    assert exported["artifacts"][0]["path"] == "exported/cnn/cnn-int8.tflite"
    golden, _ = toolkit(folder, "verify", "--golden", "--json")
    assert golden["dataset"]["split"] == "golden"
    benched, _ = toolkit(folder, "bench", *QUICKLY, "exported/cnn/cnn-int8.tflite", "--json")
    assert len(benched["results"]) == 1


@pytest.fixture
def own_net(tmp_path):
    (tmp_path / "layers_of_the_road.py").write_text(LAYERS)
    (tmp_path / "net_of_the_road.py").write_text(NET)
    yield tmp_path / "net_of_the_road.py"
    for name in ("layers_of_the_road", "net_of_the_road"):
        sys.modules.pop(name, None)


def test_on_one_s_own_data_few_test_images_are_no_fault(toolkit, tiny_npz, own_net, tmp_path):
    """90 images can prove nothing at 0.5 points: the summary says so, and reads as a success.

    The network is one of the user's own, with layers from two files, of images without an axis for their channel.
    """
    own = ("--model", own_net, "--import", own_net.with_name("layers_of_the_road.py"))
    data = ("--data", tiny_npz, "--name", "own")
    out, err = toolkit(tmp_path, "run", *own, *data, "--epochs", "3", "--seconds", "0.05")
    manifest = tmp_path / "runs" / "own" / "exported" / "net_of_the_road" / "manifest.json"
    assert json.loads(manifest.read_text())["data"]["name"] == "tiny"
    assert "inconclusive" not in out + err
    assert "verdict: too few images" in out
    summary = out.partition("\nSummary: ")[2].splitlines()
    assert summary[0] == "nothing is wrong"
    assert [line[:6] for line in summary[1:]] == ["made: ", "same: ", *[" " * 6] * 3, "ship: ", "page: "]
    command = summary[5].partition("can prove: ")[2].split()
    toolkit(tmp_path, *command[1:])


def test_a_photo_is_classified_with_the_default_model(walked, toolkit, tmp_path):
    import numpy as np
    from PIL import Image

    from toolkit import data

    folder, _ = walked
    test = data.load("sample", warn=pytest.fail).test
    large = Image.fromarray(255 - test.images[0, ..., 0]).resize((100, 100), Image.Resampling.BICUBIC)
    large.save(tmp_path / "photo.png")
    model = Path("runs/road/exported/cnn/cnn-int8.onnx")
    document, _ = toolkit(folder, "predict", tmp_path / "photo.png", "--json", "--model", model)
    (result,) = document["results"]
    assert result["class"] == str(test.labels[0])
    assert np.isclose(result["probability"] + result["runner_up_probability"], 1, atol=0.3)
