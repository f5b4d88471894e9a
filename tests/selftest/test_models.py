"""Faults that are exported: what they do to the pixels depends on the range that the model takes."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from toolkit import extras
from toolkit.convention import Convention, Layout, parse
from toolkit.selftest import models

pytestmark = pytest.mark.slow

COLOURS = "0.5,0.4,0.3,0.2,0.25,0.5"


@pytest.fixture(scope="module")
def shown():
    """A model that gives out the four pixels of an image as it sees them."""
    keras = extras.load("keras")
    return keras.Sequential([keras.Input((2, 2, 3)), keras.layers.Flatten()])


@pytest.mark.parametrize("text", ["0..1", "0..255", "-1..1", COLOURS])
def test_what_is_inverted_or_not_divided_is_so_in_the_range_of_the_model(shown, text):
    convention = parse(text)
    pixels = np.arange(0, 240, 20).reshape(1, 2, 2, 3).astype(np.uint8)
    faulted = {
        name: np.reshape(plant(shown, None)(convention.values(pixels)), pixels.shape)
        for name, plant in models.faults(shown, convention).items()
        if name.startswith("inputs")
    }
    expected: dict[str, NDArray[Any]] = {"inputs inverted": convention.values(255 - pixels)}
    if text != "0..255":
        expected["inputs not divided by 255"] = pixels
    assert faulted.keys() == expected.keys()
    for name, values in expected.items():
        np.testing.assert_allclose(faulted[name], values, rtol=1e-5, atol=1e-4)


def test_another_run_learns_from_what_the_model_takes(shown, tiny, monkeypatch):
    def values(self, rows):
        raise ValueError(f"{len(rows)} rows as {self}")

    monkeypatch.setattr(Convention, "values", values)
    with pytest.raises(ValueError, match=r"^240 rows as -1\.\.1$"):
        models.faults(shown, parse("-1..1"))["weights of another run"](shown, tiny.train)


@pytest.mark.parametrize("layout", [Layout.NHWC, Layout.NCHW, Layout.NHW])
def test_pixels_are_exchanged_and_inverted_in_the_layout_of_the_model(layout):
    keras = extras.load("keras")
    convention = replace(parse("-1..1" if layout == Layout.NHW else COLOURS), layout=layout)
    channels = len(convention.low)
    pixels = np.arange(0, 240, 240 // (9 * channels))[: 9 * channels].reshape(1, 3, 3, channels).astype(np.uint8)
    seen = convention.values(pixels)
    model = keras.Sequential([keras.Input(seen.shape[1:]), keras.layers.Flatten()])
    planted = models.faults(model, convention)
    for name, wrong in (("images transposed", pixels.swapaxes(1, 2)), ("inputs inverted", 255 - pixels)):
        given = np.reshape(planted[name](model, None)(seen), seen.shape)
        np.testing.assert_allclose(given, convention.values(wrong), rtol=1e-5, atol=1e-4)
