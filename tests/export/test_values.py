"""A model of values: its columns are normalized inside of it, in float32, and the rest is as small as of images."""

import re

import numpy as np
import pytest

from toolkit import extras, manifest
from toolkit.convention import Convention, Layout, parse
from toolkit.data.base import make_dataset
from toolkit.data.base.values import as_values
from toolkit.errors import UsageError
from toolkit.export.exporter import ExportOptions, export
from toolkit.export.formats import plan
from toolkit.export.formats.base import belongs_to
from toolkit.export.sources import resolve
from toolkit.parity.verify import VerifyOptions, verify
from toolkit.runtimes import open_session
from toolkit.selftest.run import self_test
from toolkit.training.normalization import moments


def unlike():
    """Two columns of 1e5 times each other's range: the small one alone tells the classes apart. A third is constant."""
    rng = np.random.default_rng(0)
    labels = np.arange(300) % 2
    small = 0.02 * labels + rng.normal(0, 0.002, 300)
    rows = np.stack([rng.uniform(0, 1000, 300), small, np.full(300, 0.1)], axis=1).astype(np.float32)
    arrays = (rows[:200], labels[:200], rows[200:], labels[200:])
    return make_dataset(arrays, name="unlike", origin="tests", conversion=as_values)


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    from toolkit.training.fit import train
    from toolkit.training.recipe import Recipe

    folder = tmp_path_factory.mktemp("values")
    train(Recipe(model="mlp", epochs=5, batch_size=16), unlike(), folder / "run")
    options = ExportOptions(plan(["tflite", "onnx", "c"], ["int8"]), 100)
    result = export(resolve(str(folder / "run")), unlike(), folder / "mlp", options, warn=pytest.fail)
    assert result.failures == {}
    return folder


@pytest.mark.slow
def test_columns_of_unlike_ranges_survive_in_int8(exported):
    found = manifest.read(exported / "mlp")
    assert found.convention.layout == Layout.VALUES
    result = verify(found, found.artifacts, VerifyOptions(by_golden=True), warn=pytest.fail)
    assert {one.problem for one in result.comparisons} == {None}
    test = unlike().test
    for artifact in found.artifacts:
        session = open_session(exported / "mlp" / artifact.path)
        session.convention = found.convention
        assert (session.predict(test.images).argmax(axis=1) == test.labels).mean() > 0.98, artifact.path
        assert (artifact.inputs[0].dtype, artifact.details["float32"]) == ("float32", ["normalization"])
    assert result.noun == "row"
    (tflite,) = (artifact for artifact in found.artifacts if artifact.format == "tflite")
    assert tflite.outputs[0].dtype == "int8"


@pytest.mark.slow
def test_the_header_in_c_says_that_values_come_in_as_they_are(exported):
    text = (exported / "mlp" / "mlp-int8.h").read_text()
    assert "Input:  float, values as they are" in text
    assert "Output: one int8 per class: probability = (value - MLP_INT8_OUTPUT_ZERO_POINT)" in text
    assert re.search(r"#define MLP_INT8_INPUT_BYTES 12\n\n", text)
    assert "INPUT_SCALE" not in text


@pytest.mark.slow
def test_options_and_faults_about_pixels_are_refused_for_values(exported, tmp_path):
    source, options = resolve(str(exported / "run")), ExportOptions(plan(["tflite"], ["int8"]), 50, 0, parse("0..255"))
    with pytest.raises(UsageError, match=r"--input-range says what pixels become; 'unlike' has rows of 3 values"):
        export(source, unlike(), tmp_path / "mlp", options, warn=pytest.fail)
    found = manifest.read(exported / "mlp")
    with pytest.raises(UsageError, match="takes rows of values; the faults that are planted are those of images"):
        self_test(found, unlike(), options=VerifyOptions(), reexports=0, warn=pytest.fail)


@pytest.mark.slow
def test_numbers_that_are_looked_up_come_in_as_they_are(tmp_path):
    """Of 1,000 words four would be one in steps of int8."""
    keras = extras.load("keras")
    layers = [keras.Input((6,)), keras.layers.Embedding(1000, 8), keras.layers.GlobalMaxPooling1D()]
    model = keras.Sequential([*layers, keras.layers.Dense(2, activation="softmax")], name="words")
    model.layers[0].set_weights([np.random.default_rng(1).normal(0, 3, (1000, 8)).astype(np.float32)])
    model.save(tmp_path / "words.keras")
    rng = np.random.default_rng(0)
    rows, labels = rng.integers(0, 1000, (160, 6)), np.arange(160) % 2
    data = make_dataset(
        (rows[:100], labels[:100], rows[100:], labels[100:]), name="w", origin="t", conversion=as_values
    )
    options = ExportOptions(plan(["tflite", "c"], ["int8"]))
    result = export(resolve(str(tmp_path / "words.keras")), data, tmp_path / "out", options, warn=lambda text: None)
    (artifact,) = result.manifest.artifacts
    assert (result.failures, artifact.inputs[0].dtype, artifact.outputs[0].dtype) == ({}, "float32", "int8")
    session = open_session(tmp_path / "out" / artifact.path)
    session.convention = result.manifest.convention
    assert np.abs(session.predict(data.test.images) - model.predict(data.test.images, verbose=0)).max() < 0.05


def test_a_constant_column_has_a_variance_of_one():
    rows = unlike().train.images
    mean, variance = moments(rows, np.arange(0, 200, 2))
    np.testing.assert_allclose(mean, rows[::2].mean(axis=0, dtype=np.float64), rtol=1e-6)
    np.testing.assert_allclose(variance[:2], rows[::2, :2].var(axis=0, dtype=np.float64), rtol=1e-5)
    assert variance[2] == 1


def test_channels_of_windows_are_normalized_over_their_steps():
    windows = np.random.default_rng(0).normal(3, 2, (50, 20, 2)).astype(np.float32)
    mean, variance = moments(windows, np.arange(50))
    assert mean.shape == variance.shape == (2,)
    np.testing.assert_allclose(variance, windows.reshape(-1, 2).var(axis=0, dtype=np.float64), rtol=1e-5)


@pytest.mark.parametrize(
    ("name", "belongs"),
    [
        ("mlp_1/normalization_1/Sub", True),
        ("mlp_1/normalization_1/truediv;mlp_1/normalization_1/Maximum1", True),
        ("mlp/normalization/sub", True),
        ("mlp_1/batch_normalization_1/Sub", False),
        ("mlp_1/dense_1/MatMul", False),
    ],
)
def test_an_operator_is_told_by_the_layer_in_its_name(name, belongs):
    assert belongs_to(["normalization"], name) == belongs


def test_values_go_in_as_they_are_and_have_no_range():
    convention = Convention().taking(np.zeros((2, 3), np.float32))
    rows = np.array([[1, -2, 300]], np.float32)
    assert convention.values(rows) is rows
    assert (str(convention), convention.formula, convention.dtype) == ("values", "value", np.dtype(np.float32))
    assert Convention().taking(np.zeros((2, 3), np.uint8)) == Convention()
