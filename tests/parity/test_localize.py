"""The damaged layer is the one that is named, in both formats and both arithmetics; a whole artifact names none."""

from contextlib import nullcontext
from math import inf, log10

import numpy as np
import pytest

from toolkit import extras, golden, manifest
from toolkit.parity.layers_chart import draw
from toolkit.parity.localize import least_of_mean_db, localize, match, sqnr_db
from toolkit.runtimes.base import Traced
from toolkit.runtimes.keras.layers import LayerOutput, Layers
from toolkit.selftest.files import faults, scale_layer
from toolkit.worker.session import contained

WEIGHTED = ("conv_1", "conv_2", "dense_1", "probabilities")
LAYERS = ["conv_1", "pool_1", "conv_2", "pool_2", "dense_1", "probabilities"]
FILES = ("cnn-float32.tflite", "cnn-int8.tflite", "cnn-float32.onnx", "cnn-int8.onnx")


@pytest.fixture(scope="module")
def workers():
    with contained() as workers:
        yield workers


@pytest.fixture(autouse=True)
def _one_worker(workers, monkeypatch):
    """All artifacts run in one worker, not each in one of its own."""
    monkeypatch.setattr("toolkit.parity.localize.contained", lambda: nullcontext(workers))


def localized(folder, name):
    found = manifest.read(folder)
    (artifact,) = (a for a in found.artifacts if a.path == name)
    return localize(found, artifact, golden.read(found.golden_path).images)


@pytest.mark.slow
@pytest.mark.parametrize("name", [*FILES, "cnn-float16.tflite", "cnn-dynamic.tflite"])
def test_a_whole_artifact_has_no_damaged_layer(exported_once, name):
    found = localized(exported_once, name)
    assert found.culprit is None
    assert [layer.name for layer in found.layers] == LAYERS
    assert found.unmatched == ()
    assert all(kernels.flips == 0 for kernels in found.kernel_sets)


@pytest.mark.slow
@pytest.mark.parametrize("layer", range(4), ids=WEIGHTED)
@pytest.mark.parametrize("name", FILES)
def test_the_damaged_layer_is_named(exported, name, layer):
    scale_layer(exported / name, 0.3, layer=layer)
    found = localized(exported, name)
    assert found.culprit.name == WEIGHTED[layer]
    assert found.to_json()["verdict"] == "fail"


@pytest.mark.slow
def test_float32_shows_a_layer_that_is_off_by_a_thousandth(exported):
    scale_layer(exported / "cnn-float32.onnx", 1.001, layer=1)
    assert localized(exported, "cnn-float32.onnx").culprit.name == "conv_2"


@pytest.mark.slow
def test_a_layer_that_gives_nan_is_the_damaged_one(exported):
    artifact = manifest.read(exported).artifacts[0]
    faults(artifact)["a NaN weight"](exported / artifact.path)
    found = localized(exported, artifact.path)
    assert found.culprit.name == "conv_1"
    document = found.to_json()
    assert (document["layers"][0]["own_sqnr_db"], document["layers"][0]["exact"]) == (None, False)
    assert document["layers"][0]["max_abs_error"] is None


@pytest.mark.slow
def test_a_localization_says_which_kernels_ran(exported_once):
    kernels = {operator.name: operator.kernels for operator in localized(exported_once, "cnn-int8.tflite").operators}
    assert kernels["CONV_2D"] == "XNNPACK"
    assert kernels["SOFTMAX"] == "built-in"
    found = localized(exported_once, "cnn-int8.onnx")
    assert "QLinearConv" in {operator.name for operator in found.operators}
    assert [one.kernels for one in found.kernel_sets] == ["as written"]


@pytest.mark.slow
def test_layers_that_can_saturate_are_named_on_every_machine(exported):
    (artifact,) = (a for a in manifest.read(exported).artifacts if a.path == "cnn-int8.onnx")
    assert localized(exported, artifact.path).passed
    faults(artifact)["weights of 8 bits"](exported / artifact.path)
    found = localized(exported, artifact.path)
    document = found.to_json()
    assert (len(document["saturating"]), document["not_analysed"], document["verdict"]) == (4, [], "fail")
    assert found.portability.here == any(kernels.max_abs_error > 1e-4 for kernels in found.kernel_sets)


@pytest.mark.slow
def test_the_picture_of_a_localization_is_drawn(exported_once, tmp_path):
    draw(tmp_path / "layers.png", localized(exported_once, "cnn-int8.onnx"))
    assert (tmp_path / "layers.png").read_bytes()[:4] == b"\x89PNG"


def test_the_signal_to_noise_ratio_is_in_decibels():
    signal = np.array([3, 4], np.float32)
    assert sqnr_db(signal, signal) == inf
    assert sqnr_db(signal, signal * np.float32(0.99)) == pytest.approx(40, abs=1e-4)
    assert sqnr_db(np.zeros(2, np.float32), signal) == -inf
    assert sqnr_db(signal, np.array([3, np.inf], np.float32)) == -inf


def test_channels_that_are_as_many_as_rows_are_matched_by_their_values():
    cube = np.random.default_rng(0).random((2, 3, 3, 3), np.float32)
    found = match({"conv": cube}, [Traced("out", np.moveaxis(cube, -1, 1))])
    assert np.array_equal(found["conv"].values, cube)


def test_tensors_are_matched_by_name_last_of_a_layer_channels_moved():
    rng = np.random.default_rng(0)
    image, flat = rng.random((2, 4, 4, 3), np.float32), rng.random((2, 5), np.float32)
    layers = {"conv": image, "norm": image, "dense": flat}
    tensors = [
        Traced("net/conv_1/BiasAdd:0", image * 2),
        Traced("net/norm_1/Add;net/conv_1/BiasAdd", np.moveaxis(image, -1, 1)),
        Traced("net/conv_10/other", image),
        Traced("out", flat),
    ]
    found = match(layers, tensors)
    assert np.array_equal(found["norm"].values, image)
    assert np.array_equal(found["conv"].values, image * 2)
    assert found["dense"].name == "out"


def test_a_part_of_a_normalization_is_no_layer_of_that_name():
    one, other = np.ones((2, 3), np.float32), np.zeros((2, 3), np.float32)
    tensors = [
        Traced("net/act_1/Relu;net/norm_1/batchnorm/add_1", one),
        Traced("net/add_1/Add", other),
        Traced("out", one),
    ]
    matched = match({"norm": one, "act": one, "add": other, "answer": one}, tensors)
    assert {name: tensor.name for name, tensor in matched.items()} == {
        "act": tensors[0].name,
        "add": tensors[1].name,
        "answer": "out",
    }


def test_float32_leaves_less_of_a_mean_of_many_values():
    """Of n values of 1 and -1 but for a mean of m: 12 sqrt(n) / 2^24 of their magnitude, against m."""
    means = LayerOutput(np.full((3, 2), 1e-3, np.float32), 4096, np.ones((3, 2), np.float32))
    assert least_of_mean_db(LayerOutput(means.values)) == inf
    assert least_of_mean_db(means) == pytest.approx(20 * log10(1e-3 * 2**24 / (12 * 64)), abs=1e-3)


@pytest.mark.slow
def test_the_means_of_a_layer_are_told_with_how_many_values_they_are_of(tmp_path):
    keras = extras.load("keras")
    layers = keras.layers
    pools = (layers.AveragePooling2D(2, name="pool"), layers.GlobalAveragePooling2D(name="mean"))
    keras.Sequential([keras.Input((8, 8, 2)), *pools, layers.Dense(3, name="answer")]).save(tmp_path / "net.keras")
    model, values = Layers(tmp_path / "net.keras"), np.full((5, 8, 8, 2), -3, np.float32)
    known = model.together(values)
    for name, count, shape in (("pool", 4, (5, 4, 4, 2)), ("mean", 16, (5, 2))):
        found = model.alone(name, known, values)
        np.testing.assert_array_equal(found.values, np.full(shape, -3, np.float32))
        np.testing.assert_array_equal(found.magnitudes, np.full(shape, 3, np.float32))
        assert found.count == count
    assert model.alone("answer", known, values).magnitudes is None
