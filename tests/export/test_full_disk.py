"""A disk that is full in the middle of an export: the file that could not be written is named, and nothing changes."""

import resource

import numpy as np
import pytest

from tests.export.test_exporter import snapshot
from toolkit import extras
from toolkit.errors import MissingExtraError
from toolkit.export import installation, sources
from toolkit.export.exporter import ExportOptions, export
from toolkit.export.formats import plan
from toolkit.export.formats import tflite as tflite_format


@pytest.mark.slow
@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), MissingExtraError("tf2onnx", "train")])
def test_a_full_disk_or_a_missing_package_is_no_failed_conversion(exported, trained_folder, tiny, monkeypatch, error):
    before = snapshot(exported)
    monkeypatch.setattr(tflite_format, "convert", lambda *_: (_ for _ in ()).throw(error))
    with pytest.raises(type(error)):
        export(sources.resolve(str(trained_folder)), tiny, exported, ExportOptions(plan([], [])), warn=pytest.fail)
    assert snapshot(exported) == before


@pytest.mark.slow
def test_a_full_disk_names_what_could_not_be_written(exported, trained_folder, tiny, monkeypatch):
    full = OSError(28, "No space left on device")
    options = ExportOptions(plan(["tflite"], ["int8"]), 50)
    monkeypatch.setattr(tflite_format, "convert", lambda *_: (_ for _ in ()).throw(full))
    with pytest.raises(OSError, match="space") as caught:
        export(sources.resolve(str(trained_folder)), tiny, exported, options, warn=pytest.fail)
    assert caught.value.filename == str(exported / "cnn-int8.tflite")

    tf, archive = extras.load("tensorflow"), type(extras.load("keras").export.ExportArchive())
    error = tf.errors.ResourceExhaustedError(None, None, "{{node x}} a/b; No space left on device [Op:SaveV2]")
    monkeypatch.setattr(archive, "write_out", lambda *_, **__: (_ for _ in ()).throw(error))
    with pytest.raises(OSError, match=r"TensorFlow could not write its copy: No space left on device"):
        export(sources.resolve(str(trained_folder)), tiny, exported, options, warn=pytest.fail)


def test_a_disk_that_is_full_when_the_rows_are_written_names_them(tiny, tmp_path):
    assert tiny.train.row_digests.nbytes > 1000
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, hard))
    try:
        with pytest.raises(OSError, match="too large") as caught:
            installation._write_rows(tiny, tmp_path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert caught.value.filename == str(tmp_path / "learned.npy")


@pytest.mark.slow
def test_a_disk_that_is_full_when_the_golden_is_written_names_it_where_it_is_to_be(
    exported, trained_folder, tiny, monkeypatch
):
    monkeypatch.setattr(np, "savez_compressed", lambda *_, **__: (_ for _ in ()).throw(OSError(28, "No space left")))
    options = ExportOptions(plan(["tflite"], ["int8"]), 50)
    with pytest.raises(OSError, match="space") as caught:
        export(sources.resolve(str(trained_folder)), tiny, exported, options, warn=pytest.fail)
    assert caught.value.filename == str(exported / "golden.npz")
