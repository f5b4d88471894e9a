"""Servers in this process: the tiny CNN, and a shipped MLP that reads digits."""

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from starlette.testclient import TestClient

from tests.conftest import SHIPPED
from tests.serve.browser import CHROMIUM, SCREENSHOTS
from tests.serve.processes import served
from toolkit.serve import app
from toolkit.serve.engine import Engine
from toolkit.serve.metrics import ServiceMetrics


def engines(*paths, on_failure=pytest.fail):
    metrics = ServiceMetrics([path.name for path in paths])
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


@pytest.fixture(scope="module")
def link():
    artifacts = (SHIPPED / "mlp-int8.tflite", SHIPPED.parent / "cnn" / "cnn-int8.tflite")
    with served(*artifacts, "--port", 0, "--token", "correct-horse-battery") as (_, said):
        yield said.split("open ")[1].strip()


@pytest.fixture(scope="module")
def film(tmp_path_factory):
    """A video for Chromium's fake camera: a 7 that moves to and fro, YUV4MPEG2 of 4:2:0."""
    path = tmp_path_factory.mktemp("film") / "seven.y4m"
    grey = bytes([128]) * (SIDE * SIDE // 4)
    with path.open("wb") as file:
        file.write(f"YUV4MPEG2 W{SIDE} H{SIDE} F10:1 Ip A1:1 C420jpeg\n".encode())
        for frame in range(20):
            file.write(b"FRAME\n" + seven(SIDE, left=40 - 4 * abs(frame - 10)).tobytes() + grey + grey)
    return path


@pytest.fixture(scope="module")
def browser(film):
    playwright = pytest.importorskip(
        "playwright.sync_api", reason="the page is tried by playwright, which is not installed"
    )
    camera = (
        "--use-fake-ui-for-media-stream",
        "--use-fake-device-for-media-stream",
        f"--use-file-for-fake-video-capture={film}",
    )
    # Without its own sandbox, which root cannot have.
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", *camera])
        yield browser
        browser.close()


@pytest.fixture
def opened(browser, link):
    """Open the page in a window of a size; whatever goes wrong in it fails the test."""
    contexts, wrong = [], []

    def make(width=1200, height=900, scheme="light", path=None, **options):
        context = browser.new_context(viewport={"width": width, "height": height}, color_scheme=scheme, **options)
        context.set_default_timeout(WAIT_MS)
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on(
            "request",
            lambda request: (
                None if request.url.startswith((link.split("?")[0], "data:", "blob:")) else wrong.append(request.url)
            ),
        )
        page.goto(path or link)
        return page

    yield make
    for context in contexts:
        context.close()
    assert wrong == []


@pytest.fixture
def keep(request):
    """Keep a picture of a page, if asked for."""

    def shoot(page, name):
        if SCREENSHOTS:
            page.screenshot(path=Path(SCREENSHOTS) / f"{name}.png", full_page=True)

    return shoot


TOKEN = "a-token-of-the-tests"
LOCAL = "http://localhost"
SIDE = 480
WAIT_MS = 60_000
