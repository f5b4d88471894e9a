"""Linear networks made by hand, which are right on every image: of any range and any kind of answer, no training."""

import subprocess
import sys

import numpy as np
import pytest

from toolkit import archive, extras, manifest
from toolkit.bundle.make import make
from toolkit.convention import parse
from toolkit.data.base import make_dataset
from toolkit.export.exporter import ExportOptions, export
from toolkit.export.sources import resolve
from toolkit.parity.verify import VerifyOptions, on_test_set

SIDE = 8
# Of the classes: how bright their images are on average, from 0 to 255.
BRIGHT = (60, 120, 180)


def dataset_of(classes=3, channels=3):
    rng = np.random.default_rng(0)
    parts = []
    for count in (400, 90):
        labels = np.arange(count) % classes
        bright = np.array(BRIGHT)[labels][:, None, None, None]
        parts += [np.clip(rng.normal(bright, 20, (count, SIDE, SIDE, channels)), 0, 255).astype(np.uint8), labels]
    return make_dataset(tuple(parts), name="bright", origin="tests")


def network(path, *before, shown=(0.0, 1.0), classes=3, activation="softmax", dtype="float32", channels=3, shape=None):
    """Save a linear network that is right on every image, whose pixels it takes as ``shown`` behind ``before``.

    shape: of its input; None stands for that of the images.
    """
    keras = extras.load("keras")
    low, high = shown
    centres = low + np.array(BRIGHT[:classes]) / 255 * (high - low)
    sharp = (4 if activation == "sigmoid" else 100) / (high - low) ** 2  # sigmoids would all be 1
    weights, bias = 2 * sharp * centres, -sharp * centres**2
    if classes == 2 and activation in ("sigmoid", "one logit"):  # the lead of the second class
        weights, bias = (values[1:] - values[:1] for values in (weights, bias))
        activation = "linear" if activation == "one logit" else activation
    size = SIDE * SIDE * channels
    dense = keras.layers.Dense(len(bias), activation=activation)
    model = keras.Sequential(
        [keras.Input(shape or (SIDE, SIDE, channels), dtype=dtype), *before, keras.layers.Flatten(), dense],
        name="bright",
    )
    dense.set_weights([np.tile(weights / size, (size, 1)).astype(np.float32), bias.astype(np.float32)])
    model.save(path)
    return path


def exported(path, dataset, *, given=None, pairs=(("tflite", "float32"), ("tflite", "int8")), warn=pytest.fail):
    options = ExportOptions(list(pairs), 50, convention=None if given is None else parse(given))
    result = export(resolve(str(path)), dataset, path.parent / path.stem, options, warn=warn)
    assert result.failures == {}
    return manifest.read(result.manifest.folder)


def judged(found, dataset):
    part = on_test_set(found, found.artifacts, dataset, VerifyOptions(margin_pp=5.0), pytest.fail)
    return [(one.verdict, one.figures.accuracy, one.figures.reference_accuracy) for one in part.comparisons]


def photos(dataset, folder, count=6):
    from PIL import Image

    paths = [folder / f"{row}.png" for row in range(count)]
    for path, pixels in zip(paths, dataset.test.images, strict=False):
        Image.fromarray(pixels).save(path)
    return paths


def bundled(found, artifact, images, folder):
    """Return the lines that the script of an artifact's bundle prints for images."""
    bundle = make(found, artifact, folder / f"{artifact.format}.zip")
    archive.unpack(bundle.path, folder / artifact.format)
    np.save(folder / "images.npy", images)
    script = folder / artifact.format / bundle.name / "classify.py"
    run = [sys.executable, "-I", script, folder / "images.npy"]
    assert subprocess.run(run[:3], check=False).returncode == 0
    return subprocess.run(run, capture_output=True, text=True, check=True).stdout.splitlines()
