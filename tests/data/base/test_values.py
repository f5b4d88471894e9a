"""Arrays of numbers that are no pixels: which they are taken for, and what is refused."""

import numpy as np
import pytest

from toolkit import data
from toolkit.data.base import grouped_split, make_dataset
from toolkit.data.base.values import as_values
from toolkit.errors import DataError
from toolkit.reading import Reading

LABELS = np.arange(40) % 2


def save(path, rows):
    np.savez(path, x_train=rows, y_train=LABELS, x_test=rows[:10] + 1, y_test=LABELS[:10])
    return path


def load(path, said, **reading):
    return data.load(str(path), warn=said.append, reading=Reading(**reading))


def drawn(*shape, dtype=np.float32):
    return np.random.default_rng(0).normal(0, 30, (40, *shape)).astype(dtype)


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int16])
def test_rows_of_numbers_are_values_as_they_are(tmp_path, dtype):
    rows, said = drawn(5, dtype=dtype), []
    found = load(save(tmp_path / "x.npz", rows), said)
    np.testing.assert_array_equal(found.train.images, rows.astype(np.float32))
    assert (found.rows_are, found.is_pixels, said) == ("rows of 5 values", False, [])


@pytest.mark.parametrize(
    ("rows", "is_pixels", "note"),
    [
        (drawn(16, 3), False, "float32 (40, 16, 3) are taken for windows, (N, steps, channels); --keys kind=images"),
        (np.abs(drawn(16, 3)) / 200, True, "float32 (40, 16, 3) are taken for grey images; --keys kind=values"),
    ],
)
def test_floats_of_three_dimensions_are_images_only_if_they_can_be(tmp_path, rows, is_pixels, note):
    said = []
    assert load(save(tmp_path / "x.npz", rows), said).is_pixels == is_pixels
    assert note in said[0]


@pytest.mark.parametrize(
    ("rows", "rows_are", "note"),
    [
        (drawn(16, 3, dtype=np.int16), "rows of 16×3 values", "int16 (40, 16, 3) are taken for windows, (N, steps"),
        (
            drawn(8, 8, 3),
            "rows of 8×8×3 values",
            "float32 (40, 8, 8, 3) are taken for values, not pixels; --keys kind=images",
        ),
        (
            np.abs(drawn(8, 8, 4, dtype=np.int64)),
            "rows of 8×8×4 values",
            "int64 (40, 8, 8, 4) are taken for values; images have",
        ),
        (drawn(4, 6, 6, 1), "rows of 4×6×6×1 values", "(40, 4, 6, 6, 1) are taken for values; images have a height,"),
    ],
)
def test_numbers_that_cannot_be_pixels_are_values(tmp_path, rows, rows_are, note):
    said = []
    assert load(save(tmp_path / "x.npz", rows), said).rows_are == rows_are
    assert note in said[0]


def test_whole_numbers_that_may_be_pixels_of_a_range_that_is_not_known_are_asked_about(tmp_path):
    path = save(tmp_path / "x.npz", np.abs(drawn(8, 8, dtype=np.int32)) * 40)
    with pytest.raises(
        DataError, match=r"pixels are int32 from 0 to \d.*; scale them; --keys kind=values takes numbers"
    ):
        load(path, [])
    assert load(path, [], keys={"kind": "values"}).rows_are == "rows of 8×8 values"


def test_the_kind_can_be_given(tmp_path):
    path = save(tmp_path / "x.npz", np.abs(drawn(16, 3)) / 200)
    assert load(path, [], keys={"kind": "values"}).rows_are == "rows of 16×3 values"
    with pytest.raises(DataError, match="pixels are float32 from -"):
        load(save(tmp_path / "y.npz", drawn(16, 3)), [], keys={"kind": "images"})


@pytest.mark.parametrize("wrong", [np.nan, np.inf, -np.inf])
def test_what_is_no_number_is_refused_with_its_place(wrong):
    rows = drawn(4, 3)
    rows[17, 2, 1] = wrong
    with pytest.raises(
        DataError, match=rf"x: the test value in row 17, column 2, 1 \(from 0\) is {wrong}, which is no"
    ):
        as_values({"training": drawn(4, 3), "test": rows}, origin="x")


def test_what_float32_cannot_hold_is_refused():
    rows = drawn(3, dtype=np.float64)
    rows[2, 0] = 1e300
    with pytest.raises(DataError, match=r"the training value in row 2, column 0 \(from 0\) is 1e\+300"):
        as_values({"training": rows}, origin="x")


@pytest.mark.parametrize("rows", [np.array(["a", "b"]), np.zeros((3,)), np.zeros((3, 0)), np.zeros((2,) * 6)])
def test_other_shapes_and_types_are_refused(rows):
    with pytest.raises(DataError, match=r"x: training rows are .*; allowed: numbers, \(N, columns\)"):
        as_values({"training": rows}, origin="x")


def test_the_digest_of_values_is_that_of_an_idx_file_of_floats():
    rows = np.float32([[1, 2], [3, 4]])
    labels = np.array([0, 1])
    found = make_dataset((rows, labels, rows + 1, labels), name="x", origin="x", conversion=as_values)
    content = bytes([0, 0, 0x0D, 2, 0, 0, 0, 2, 0, 0, 0, 2]) + rows.astype(">f4").tobytes()
    import hashlib

    assert found.digests["train_images"] == hashlib.sha256(content).hexdigest()


def test_groups_stay_together_and_every_class_is_in_both_parts():
    groups = np.repeat(np.arange(20), 7)
    labels = groups % 4
    train, test = grouped_split(labels, groups, test_share=0.2, seed=3)
    assert not set(groups[train]) & set(groups[test])
    assert sorted((*train, *test)) == list(range(140))
    assert np.bincount(labels[test]).tolist() == [7, 7, 7, 7]


@pytest.mark.parametrize("scale", [1, 255])
def test_images_with_their_channels_first_are_images(tmp_path, scale):
    images = np.random.default_rng(0).integers(0, 256, (40, 3, 8, 9))
    rows = (images / 255).astype(np.float32) if scale == 255 else images.astype(np.uint8)
    np.savez(tmp_path / "x.npz", x_train=rows, y_train=LABELS, x_test=rows[:10], y_test=LABELS[:10])
    said = []
    found = load(tmp_path / "x.npz", said)
    np.testing.assert_array_equal(found.train.images, np.moveaxis(images, 1, -1))
    assert "(40, 3, 8, 9) are taken for images with their channels first; --keys kind=values says otherwise" in said[0]
    assert load(tmp_path / "x.npz", [], keys={"kind": "values"}).rows_are == "rows of 3×8×9 values"
