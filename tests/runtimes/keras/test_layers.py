"""The layers of a Keras model, all together and one by one."""

import numpy as np
import pytest

from toolkit import runtimes
from toolkit.runtimes.keras.layers import Layers

pytestmark = [pytest.mark.training, pytest.mark.slow]


def test_layers_that_are_shared_nested_and_of_two_inputs_are_run_one_by_one(keras, tmp_path):
    layers = keras.layers
    image = keras.Input((8, 8, 1))
    shared = layers.Conv2D(2, 3, padding="same", name="shared")
    inner = keras.Sequential([keras.Input((8, 8, 2)), layers.Conv2D(2, 3), layers.Flatten()], name="inner")
    first = shared(image)
    second = shared(layers.Concatenate(name="pair")([first, first])[..., :1] + 1.0)
    sum_ = layers.Add(name="sum")([first, second])
    keras.Model(image, layers.Dense(3, name="dense")(inner(sum_))).save(tmp_path / "m.keras")
    images = np.random.default_rng(0).random((4, 8, 8, 1), np.float32)
    model = Layers(tmp_path / "m.keras")
    outputs = model.together(images)
    assert list(outputs) == ["pair", "sum", "inner", "dense"]
    expected = runtimes.open_session(tmp_path / "m.keras", threads=0).run(images)
    np.testing.assert_allclose(outputs["dense"], expected, atol=1e-5)
    alone = model.alone("dense", {"inner": outputs["inner"] * 0}, images)
    np.testing.assert_allclose(alone.values, np.zeros((4, 3)), atol=1e-6)  # a new layer's bias is 0
    np.testing.assert_allclose(model.alone("sum", {}, images).values, outputs["sum"], atol=1e-5)
