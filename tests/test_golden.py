"""Goldens whose arrays do not fit one another."""

import numpy as np
import pytest

from toolkit import golden
from toolkit.errors import ArtifactError


def test_a_golden_that_claims_more_images_than_answers_takes_no_memory(shipped, monkeypatch):
    bomb = np.zeros((2**16, 28, 28, 1), np.uint8)
    with np.load(shipped / "golden.npz") as arrays:
        np.savez_compressed(shipped / "golden.npz", **{**arrays, "images": bomb})
    monkeypatch.setattr("toolkit.files.arrays._read_values", pytest.fail)
    with pytest.raises(
        ArtifactError, match=r"golden\.npz: .*'reference' is float32 \(500, 10\); allowed: float32 \(65536"
    ):
        golden.read(shipped / "golden.npz")


def test_a_golden_of_more_rows_than_an_export_records_takes_no_memory(shipped, monkeypatch):
    with np.load(shipped / "golden.npz") as arrays:
        np.savez_compressed(shipped / "golden.npz", **{name: np.repeat(arrays[name], 3, axis=0) for name in arrays})
    monkeypatch.setattr("toolkit.files.arrays._read_values", pytest.fail)
    with pytest.raises(ArtifactError, match=r"1500 images of .* and 10 classes; allowed: 1 to 500 images of 2 to"):
        golden.read(shipped / "golden.npz")


@pytest.mark.parametrize(
    ("name", "values", "message"),
    [
        ("images", np.zeros((500, 28, 28, 1), np.float64), "'images' is float64"),
        ("images", np.zeros((500, 28, 28, 1, 1, 1), np.float32), "'images' is float32"),
        ("images", np.full((500, 4), np.inf, np.float32), "'images' holds what is no number"),
        ("images", np.zeros((0, 28, 28, 1), np.uint8), "'reference' is|0 images"),
        ("labels", np.zeros(499, np.int64), r"'labels' is int64 \(499,\)"),
        ("labels", np.full(500, 10), "labels from 10 to 10 of 10 classes"),
        ("labels", np.full(500, -1), "labels from -1 to -1 of 10 classes"),
        ("reference", np.full((500, 10), np.nan, np.float32), "'reference' holds what is no number"),
        ("reference", np.zeros((500, 1), np.float32), "500 images of .* and 1 classes"),
        ("recorded/mlp-int8.tflite", np.zeros((499, 10), np.float32), "'recorded/mlp-int8.tflite' is float32"),
    ],
)
def test_a_golden_whose_arrays_do_not_fit_is_refused(shipped, name, values, message):
    with np.load(shipped / "golden.npz") as arrays:
        np.savez_compressed(shipped / "golden.npz", **{**arrays, name: values})
    with pytest.raises(ArtifactError, match=rf"golden\.npz: cannot be read as a golden: .*({message})"):
        golden.read(shipped / "golden.npz")
