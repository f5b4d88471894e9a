"""The whole road through the command line, on real digits and starting from an empty folder."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.road


def toolkit(*arguments, cwd, **environment):
    """Run ``python -m toolkit`` in a process of its own, as a user would."""
    return subprocess.run(
        [sys.executable, "-m", "toolkit", *arguments],
        cwd=cwd,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="module")
def walked(tmp_path_factory):
    """``toolkit run`` in an empty folder; returns (folder, finished process)."""
    folder = tmp_path_factory.mktemp("road")
    arguments = ("run", "--data", "sample", "--epochs", "3", "--seconds", "0.2", "--name", "road", "--json")
    return folder, toolkit(*arguments, cwd=folder)


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
    assert sorted(path.name for path in folder.iterdir()) == ["runs"]


def test_nothing_but_warnings_and_notes_is_on_the_screen_of_errors(walked):
    _, done = walked
    for line in done.stderr.splitlines():
        assert line.startswith(("data: ", "device: ", "exporting ", "  cnn-", "warning: ")), line


def test_its_run_is_exported_again_and_verified(walked):
    folder, _ = walked
    exported = toolkit("export", "--format", "tflite", "--quantize", "int8", "--json", cwd=folder)
    assert exported.returncode == 0, exported.stderr
    assert json.loads(exported.stdout)["artifacts"][0]["path"] == "exported/cnn/cnn-int8.tflite"
    golden = toolkit("verify", "--golden", "--json", cwd=folder)
    assert golden.returncode == 0, golden.stderr
    assert json.loads(golden.stdout)["dataset"]["split"] == "golden"
    benched = toolkit("bench", "--seconds", "0.1", "--json", "exported/cnn/cnn-int8.tflite", cwd=folder)
    assert benched.returncode == 0, benched.stderr


def test_the_road_is_walked_on_one_s_own_data(tiny_npz, tmp_path):
    arguments = ("run", "--model", "mlp", "--data", str(tiny_npz), "--epochs", "3", "--seconds", "0.05", "--json")
    done = toolkit(*arguments, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["verify"]["dataset"]["name"] == "tiny"


def test_so_few_test_images_are_no_fault(tiny_npz, tmp_path):
    """90 images can prove nothing at 0.5 points: the summary says so, and reads as a success."""
    arguments = ("run", "--model", "mlp", "--data", str(tiny_npz), "--epochs", "3", "--seconds", "0.05")
    done = toolkit(*arguments, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "inconclusive" not in done.stdout + done.stderr
    assert "verdict: too few images" in done.stdout
    summary = done.stdout.partition("\nSummary: ")[2].splitlines()
    assert summary[0] == "nothing is wrong"
    assert [line[:6] for line in summary[1:]] == ["made: ", "same: ", *[" " * 6] * 3, "ship: "]
    command = summary[5].partition("can prove: ")[2].split()
    proven = toolkit(*command[1:], cwd=tmp_path)
    assert proven.returncode == 0, proven.stdout


def test_a_photo_is_classified_with_the_default_model(walked, tmp_path):
    import numpy as np
    from PIL import Image

    from toolkit import data

    folder, _ = walked
    test = data.load("sample", warn=pytest.fail).test
    large = Image.fromarray(255 - test.images[0, ..., 0]).resize((100, 100), Image.Resampling.BICUBIC)
    large.save(tmp_path / "photo.png")
    done = toolkit("predict", str(tmp_path / "photo.png"), "--json", "--model",
                   str(Path("runs/road/exported/cnn/cnn-int8.onnx")), cwd=folder)  # fmt: skip
    assert done.returncode == 0, done.stderr
    (result,) = json.loads(done.stdout)["results"]
    assert result["class"] == str(test.labels[0])
    assert np.isclose(result["probability"] + result["runner_up_probability"], 1, atol=0.3)
