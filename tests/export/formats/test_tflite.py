"""What TensorFlow's converter is given."""

import pytest

from tests.conftest import tiny_arrays
from toolkit import extras, models
from toolkit.convention import Convention
from toolkit.export.formats import tflite
from toolkit.export.formats.base import Request
from toolkit.export.prepare import prepare

pytestmark = [pytest.mark.training, pytest.mark.slow]


def test_a_model_is_loaded_once_for_all_its_files(tmp_path, monkeypatch):
    loads, loading = [], extras.load("tensorflow.python.saved_model.load")
    load = loading.load_partial
    monkeypatch.setattr(loading, "load_partial", lambda *given: loads.append(given) or load(*given))
    prepared = prepare(models.build("mlp", input_shape=(8, 8, 1), classes=3), tmp_path)
    rows = (tiny_arrays()[0][:20, ..., None] / 255).astype("float32")
    for quantization in ("float32", "int8"):
        tflite.convert(prepared, Request(quantization, rows, Convention()), tmp_path / f"{quantization}.tflite")
    assert len(loads) == 1
