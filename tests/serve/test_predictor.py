"""What models are to see of an image, and what is said of their answers."""

import asyncio
import io
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from PIL import Image

from tests.serve.conftest import png, seven
from toolkit.images import Received
from toolkit.prediction.views import Form
from toolkit.serve import limits, predictor


@pytest.mark.parametrize(
    ("content", "side", "woken"),
    [
        (png(seven(28)), 28, 0),
        (png(seven(29)), 28, 1),
        (png(np.zeros((1000, 1000))), 28, 1),
        (png(np.zeros((1000, 1000))), 1000, 1),
        (png(np.zeros((28, 28))) + bytes(limits.SMALL_BYTES), 28, 1),
    ],
    ids=["of the model's size", "larger", "a small file of many pixels", "for a large model", "a large file of few"],
)
def test_a_small_image_of_the_models_size_wakes_no_thread(content, side, woken, monkeypatch):
    asked = []
    forms = {Form(side, side, 1, digits=False, how="fit")}
    with ThreadPoolExecutor(1) as threads:
        submit = threads.submit
        monkeypatch.setattr(threads, "submit", lambda *given: asked.append(given) or submit(*given))
        size, images = asyncio.run(predictor._prepared(Received(content), forms, threads))
    assert len(asked) == woken
    assert size == Image.open(io.BytesIO(content)).size
    assert images.keys() == forms


def test_artifacts_agree_if_they_read_the_same():
    def result(*classes, none=None):
        return {"readings": [{"class": name, "none_of_these": none} for name in classes]}

    assert predictor.agree([result("1"), result("1")]) is True
    assert predictor.agree([result("1"), result("7")]) is False
    assert predictor.agree([result("1"), {"error": "died"}]) is None
    assert predictor.agree([result("1")]) is None
    assert predictor.agree([result("1", none=False), result("1", none=True)]) is False
    assert predictor.agree([result("7", none=True), result("1", none=True)]) is True
