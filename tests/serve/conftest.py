"""Servers in this process: the tiny CNN, and a shipped MLP that reads digits."""

import io

import numpy as np
import pytest
from PIL import Image
from starlette.testclient import TestClient

from tests.conftest import SHIPPED
from toolkit.serve import app
from toolkit.serve.engine import Engine
from toolkit.serve.metrics import Metrics


def engines(*paths, on_failure=pytest.fail):
    metrics = Metrics([path.name for path in paths])
    made = [Engine(path.name, path, metrics=metrics, warn=pytest.fail, on_failure=on_failure) for path in paths]
    return made, metrics


def png(pixels):
    """Return pixels (H, W) or (H, W, 3) as a PNG file."""
    file = io.BytesIO()
    Image.fromarray(np.asarray(pixels, np.uint8)).save(file, "PNG")
    return file.getvalue()


def seven(size=28, *, left=0):
    """Return a picture of a 7, dark on light, (size, size)."""
    pixels = np.full((size, size), 255, np.uint8)
    unit = size / 28
    for row in range(int(6 * unit), int(23 * unit)):
        middle = int((19 - (row / unit - 6) / 2) * unit) + left
        pixels[row, max(0, middle) : middle + max(2, int(2.5 * unit))] = 0
    pixels[int(6 * unit) : int(8.5 * unit), int(8 * unit) + left : int(21 * unit) + left] = 0
    return pixels


@pytest.fixture(scope="package")
def client(exported_once):
    """A server of two artifacts of the tiny CNN, without a token."""
    made, metrics = engines(exported_once / "cnn-int8.tflite", exported_once / "cnn-float32.onnx")
    with TestClient(app.make(made, metrics), base_url=LOCAL) as client:
        yield client
    for engine in made:
        engine.close()


@pytest.fixture(scope="package")
def digits():
    """A server of a shipped MLP, with a token."""
    made, metrics = engines(SHIPPED / "mlp-int8.tflite")
    headers = {"Authorization": f"Bearer {TOKEN}"}
    with TestClient(app.make(made, metrics, token=TOKEN), headers=headers) as client:
        yield client
    for engine in made:
        engine.close()


TOKEN = "a-token-of-the-tests"
LOCAL = "http://localhost"
