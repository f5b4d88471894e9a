"""Arrays in .npz files: what they stand for, how they are divided, and those that are wrong, damaged or too large."""

import io
import zipfile

import numpy as np
import pytest

from tests.conftest import tiny_arrays
from toolkit import data, host
from toolkit.errors import DataError
from toolkit.files import memory
from toolkit.reading import Reading

NAMES = ("x_train", "y_train", "x_test", "y_test")


def save_npz(path, **changes):
    arrays = dict(zip(NAMES, tiny_arrays(), strict=True))
    arrays.update(changes)
    np.savez(path, **{name: array for name, array in arrays.items() if array is not None})
    return path


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"x_test": None}, "x_test missing"),
        ({"x_train": np.zeros((240, 8, 8), np.float32)}, "training images are float32, test images are uint8"),
        ({"x_train": np.zeros((240, 8), np.uint8)}, r"training images are \(8,\) and test images \(8, 8\)"),
        ({"x_train": np.zeros((240, 8, 8, 2), np.uint8)}, r"training images are \(8, 8, 2\) and test images \(8, 8\)"),
        ({"x_train": np.zeros((0, 8, 8), np.uint8)}, "have shape"),
        ({"x_test": np.zeros((90, 9, 8), np.uint8)}, r"test images \(9, 8, 1\)"),
        ({"y_train": np.zeros(239, np.uint8)}, "240 training images but 239 labels"),
        ({"y_train": np.zeros(240, np.uint8)}, "all training labels are 0; a classifier needs 2 to"),
        ({"y_train": np.repeat([0, 2], 120)}, "a test label is 1, which no training image has"),
        ({"y_train": np.full(240, 0.5)}, "labels are float64"),
        ({"y_test": np.full(90, 3)}, "a test label is 3, which no training image has"),
        ({"y_test": np.array(["a"] * 90)}, "test labels are <U1 and training labels int64"),
        ({"x_val": np.zeros((9, 8, 8), np.uint8)}, "y_val missing"),
        ({"y_test": np.array([{}] * 90)}, r"'y_test' is object \(90,\); save it as numbers or texts"),
    ],
)
def test_a_wrong_npz_is_refused_by_name(tmp_path, changes, message):
    path = save_npz(tmp_path / "wrong.npz", **changes)
    with pytest.raises(DataError, match=message) as caught:
        data.load(str(path), warn=pytest.fail)
    assert str(path) in str(caught.value)


def test_arrays_of_other_names_are_read_by_keys(tmp_path):
    arrays = dict(zip(("images", "classes", "test_images", "y_test"), tiny_arrays(), strict=True))
    np.savez(tmp_path / "other.npz", **arrays)
    with pytest.raises(DataError, match=r"x_train, y_train, x_test missing; it holds images, .*--keys x_train=NAME"):
        data.load(str(tmp_path / "other.npz"), warn=pytest.fail)
    keys = {"x_train": "images", "y_train": "classes", "x_test": "test_images"}
    loaded = data.load(str(tmp_path / "other.npz"), warn=pytest.fail, reading=Reading(keys=keys))
    assert loaded.digests == data.load(str(save_npz(tmp_path / "usual.npz")), warn=pytest.fail).digests
    assert loaded.reading.to_json() == {"keys": keys}


def test_without_test_arrays_a_fifth_of_every_class_is_the_test_set(tmp_path):
    images, labels, _, _ = tiny_arrays()
    images[1::2] = images[::2]  # of equal images none is in both parts
    labels[1::2] = labels[::2]
    said = []
    np.savez(tmp_path / "two.npz", x_train=images, y_train=labels)
    loaded = data.load(str(tmp_path / "two.npz"), warn=said.append)
    assert said == [f"{tmp_path / 'two.npz'}: there are no test arrays; a fifth of every class is the test set"]
    assert loaded.counts == "192 + 48"
    assert np.bincount(loaded.test.labels).min() >= 10
    assert not np.isin(loaded.test.row_digests, loaded.train.row_digests).any()
    one_hot, texts = np.eye(3)[labels], np.array(["a", "b", "c"])[labels]
    for other in (one_hot, texts, labels[:, None]):
        np.savez(tmp_path / "two.npz", x_train=images, y_train=other, note="read only if it is asked for")
        keys = {"x_train": "x_train"}
        again = data.load(str(tmp_path / "two.npz"), warn=said.append, reading=Reading(keys=keys))
        assert (again.counts, np.bincount(again.test.labels).tolist()) == (
            loaded.counts,
            np.bincount(loaded.test.labels).tolist(),
        )


def test_without_test_arrays_images_that_are_equal_as_pixels_are_in_one_part(tmp_path):
    images, labels, _, _ = tiny_arrays()
    pixels = images.astype(np.float32)
    pixels[1::2] = pixels[::2] + np.float32(0.25)
    labels[1::2] = labels[::2]
    np.savez(tmp_path / "two.npz", x_train=pixels, y_train=labels)
    loaded = data.load(str(tmp_path / "two.npz"), warn=[].append)
    assert loaded.counts == "192 + 48"
    assert not np.isin(loaded.test.row_digests, loaded.train.row_digests).any()


def test_without_test_arrays_validation_arrays_are_the_test_set(tmp_path):
    images, labels, _, _ = tiny_arrays()
    path, said = save_npz(tmp_path / "v.npz", x_test=None, y_test=None, x_val=images[:60], y_val=labels[:60]), []
    assert data.load(str(path), warn=said.append).counts == "240 + 60"
    assert said == [f"{path}: there are no test arrays; x_val is the test set"]


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"X_test": np.zeros(9)}, r"x_test, y_test missing; it holds .*; without the last two a fifth of every class"),
        ({"x_val": np.zeros((9, 8, 8), np.uint8)}, "y_val missing"),
        ({"y_train": np.arange(239)}, "240 training images but 239 labels"),
        ({"y_train": np.uint8(1)}, r"training labels are uint8 \(\); allowed: "),
        ({"x_train": np.zeros((0, 8, 8), np.uint8), "y_train": np.zeros(0)}, "have shape"),
        ({"y_train": np.arange(240)}, "too few rows to test with; give test rows, or two of a class"),
    ],
)
def test_without_test_arrays_a_wrong_npz_is_refused(tmp_path, arrays, message):
    path = save_npz(tmp_path / "wrong.npz", **({"x_test": None, "y_test": None} | arrays))
    with pytest.raises(DataError, match=message):
        data.load(str(path), warn=pytest.fail)


def test_validation_arrays_are_the_validation_part(tmp_path):
    images, labels, _, _ = tiny_arrays(seed=1)
    loaded = data.load(str(save_npz(tmp_path / "v.npz", x_val=images[:60], y_val=labels[:60])), warn=pytest.fail)
    assert loaded.counts == "240 + 60 + 90"


def test_labels_may_be_texts(tmp_path):
    names = np.array(["left", "right", "up"])
    arrays = tiny_arrays()
    said = []
    path = save_npz(tmp_path / "t.npz", y_train=names[arrays[1]], y_test=names[arrays[3]])
    assert data.load(str(path), warn=said.append).class_names == ("left", "right", "up")
    assert said == [f"{path}: the labels left, right, up are classes 0 to 2"]


def test_texts_of_no_characters_are_refused(tmp_path):
    texts = np.full(240, 2**31, np.uint32).view("<U1")
    with pytest.raises(DataError, match=r"t\.npz: cannot be read .*characters that there are none of"):
        data.load(str(save_npz(tmp_path / "t.npz", y_train=texts)), warn=pytest.fail)


@pytest.mark.parametrize("keep", [0, 10, 1000, -100])
def test_a_truncated_npz_is_refused(tmp_path, keep):
    path = save_npz(tmp_path / "cut.npz")
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(DataError, match=r"cut\.npz"):
        data.load(str(path), warn=pytest.fail)


def test_a_header_that_promises_too_much_takes_no_memory(tmp_path):
    header = io.BytesIO()
    description = {"descr": "|u1", "fortran_order": False, "shape": (10**9, 28, 28)}
    np.lib.format.write_array_header_1_0(header, description)
    with zipfile.ZipFile(tmp_path / "bomb.npz", "w") as archive:
        for name in NAMES:
            archive.writestr(f"{name}.npy", header.getvalue())
    with pytest.raises(DataError, match=r"claims to be uint8 \(1000000000, 28, 28\), which its \d+ bytes are not"):
        data.load(str(tmp_path / "bomb.npz"), warn=pytest.fail)


def test_more_than_the_memory_is_refused(tmp_path, monkeypatch):
    path = save_npz(tmp_path / "large.npz")
    monkeypatch.setattr(host, "available_memory_bytes", lambda: 1000)
    monkeypatch.setattr(memory, "SMALL_BYTES", 0)
    with pytest.raises(DataError, match="bytes of memory; 1,000 are free, half of which may be used"):
        data.load(str(path), warn=pytest.fail)
