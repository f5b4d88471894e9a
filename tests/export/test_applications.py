"""The smallest network of keras.applications goes the whole road, from a folder of photos to a class in a bundle."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from toolkit import api, archive, data, extras, golden, manifest
from toolkit.bundle.make import make
from toolkit.verdict import Verdict

pytestmark = [pytest.mark.training, pytest.mark.slow]
SIDE = 32
MOST_OF_FLOAT32 = 1e-5
COLOURS = {"blue": (40, 60, 200), "green": (40, 190, 60), "red": (200, 50, 40)}


@pytest.fixture
def photos(tmp_path):
    rng = np.random.default_rng(0)
    for name, colour in COLOURS.items():
        (tmp_path / "photos" / name).mkdir(parents=True)
        for number in range(30):
            pixels = np.clip(rng.normal(colour, 25, (SIDE, SIDE, 3)), 0, 255).astype(np.uint8)
            Image.fromarray(pixels).save(tmp_path / "photos" / name / f"{number}.png")
    return tmp_path / "photos"


def spread(keras):
    """Return the network with moving averages like a trained one's, which spread its outputs."""
    keras.utils.set_random_seed(0)
    model = keras.applications.MobileNetV3Small((SIDE, SIDE, 3), alpha=0.35, weights=None, classes=3)
    rng = np.random.default_rng(0)
    for layer in model.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            gamma, beta, mean, variance = layer.get_weights()
            layer.set_weights([gamma, rng.normal(0, 0.5, beta.shape), mean, variance / 4])
    return model


@pytest.mark.filterwarnings("ignore:.* chance:toolkit.errors.ToolkitWarning")
def test_a_mobilenet_goes_the_whole_road(photos, tmp_path):
    """It scales its pixels itself, and has learned nothing: what is proven is that its artifacts answer as it does.

    It has squeeze and excitation, hard swish and depthwise convolutions.
    """
    path = tmp_path / "small.keras"
    spread(extras.load("keras")).save(path)
    made = api.export(path, data=photos, output=tmp_path / "out", quantize=["float32", "int8"], calibration=20)
    assert made.failures == {}
    found = manifest.read(made.manifest.folder)
    assert (str(found.convention), found.data.classes) == ("0..255", tuple(COLOURS))
    parity = api.verify(found.folder, data=photos, margin_pp=30.0)
    exact = [one for one in parity.comparisons if one.quantization == "float32"]
    assert [(one.verdict, one.figures.changed) for one in exact] == [(Verdict.PASS, 0)] * 2
    proof = golden.read(made.manifest.golden_path)
    assert np.ptp(proof.reference) > 0.1
    differences = {name: float(np.abs(outputs - proof.reference).max()) for name, outputs in proof.recorded.items()}
    assert max(differences[Path(one.artifact).name] for one in exact) < MOST_OF_FLOAT32
    for quantization in ("float32", "int8"):  # not together: why int8 is not faster would take a minute to find out
        files = [found.folder / one.path for one in found.artifacts if one.quantization == quantization]
        record = api.bench(*files, output=tmp_path / quantization, seconds=0.02, processes=1)
        assert (len(record.results), record.failures) == (2, {})
    images = data.load(str(photos), warn=pytest.fail).test.images[:4]
    for row, pixels in enumerate(images):
        Image.fromarray(pixels).save(tmp_path / f"{row}.png")
    np.save(tmp_path / "images.npy", images)
    for artifact in found.artifacts:
        shown = api.predict([tmp_path / f"{row}.png" for row in range(4)], found.folder / artifact.path)
        bundle = make(found, artifact, tmp_path / "bundle.zip")
        archive.unpack(bundle.path, tmp_path / artifact.path.replace(".", "-"))
        script = tmp_path / artifact.path.replace(".", "-") / bundle.name / "classify.py"
        run = [sys.executable, "-I", script, tmp_path / "images.npy"]
        lines = subprocess.run(run, capture_output=True, text=True, check=True).stdout.splitlines()
        assert [line.split()[0] for line in lines] == [one.classes[0] for one in shown]
