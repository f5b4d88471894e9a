"""Arrays of any numbers become pixels and class numbers, or are refused with their figures."""

import numpy as np
import pytest

from tests.conftest import tiny_arrays
from toolkit.data.base import make_dataset
from toolkit.errors import DataError


def made(*, pixels=lambda images: images, labels=lambda labels: labels):
    train, own, test, test_labels = tiny_arrays()
    arrays = (pixels(train), labels(own), pixels(test), labels(test_labels))
    return make_dataset(arrays, name="x", origin="x.npz")


@pytest.mark.parametrize("dtype", ["int64", "uint16", "float32", "float64", ">u2", "uint32"])
def test_whole_numbers_up_to_255_are_pixels_as_they_are(dtype, tiny):
    found = made(pixels=lambda images: images.astype(dtype))
    assert found.digests == tiny.digests
    assert found.notes == ()


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_floats_of_0_to_1_are_scaled(dtype, tiny):
    found = made(pixels=lambda images: (images / 255).astype(dtype))
    assert found.digests == tiny.digests
    (note,) = found.notes
    assert note.startswith(f"x.npz: pixels are {dtype} of 0 to 1; they became 0 to 255, ")
    assert note.endswith("without loss") == (dtype != "float16")


def test_what_rounding_loses_is_said():
    found = made(pixels=lambda images: images.astype(np.float32) + np.float32(0.25))
    assert found.notes == (
        "x.npz: pixels are float32 of 0 to 255; they became 0 to 255, a rounding error of up to 0.25",
    )


def test_the_whole_of_16_bits_is_scaled(tiny):
    assert made(pixels=lambda images: images.astype(np.uint16) * 257).digests == tiny.digests


def test_booleans_become_black_and_white_pixels():
    assert made(pixels=lambda images: images > 127).train.images.max() == 255


def test_the_arrays_of_all_parts_are_scaled_alike():
    train, labels, test, test_labels = tiny_arrays()
    arrays = (train.astype(np.float32), labels, (test > 127).astype(np.float32), test_labels)
    assert make_dataset(arrays, name="x", origin="x").test.images.max() == 1


@pytest.mark.parametrize(
    ("pixels", "message"),
    [
        (
            lambda images: images.astype(np.float32) / 127.5 - 1,
            r"pixels are float32 from -1 to 0\.6.*; allowed: 0 to 255",
        ),
        (lambda images: images.astype(np.uint16) * 16, r"pixels are uint16 from 0 to 3,?\d+"),
        (lambda images: images.astype(np.int16) - 1, "from -1 to"),
        (lambda images: np.where(images == images.max(), np.nan, images), "a pixel is no number"),
        (lambda images: images.astype(np.complex64), "images are complex64; pixels must be numbers"),
        (lambda images: images.astype(str), "images are <U3; pixels must be numbers"),
    ],
)
def test_other_values_are_refused_with_their_span(pixels, message):
    with pytest.raises(DataError, match=message):
        made(pixels=pixels)


def test_parts_of_two_types_are_refused():
    train, labels, test, test_labels = tiny_arrays()
    with pytest.raises(DataError, match="training images are uint8, test images are float32; they must be of one type"):
        make_dataset((train, labels, test.astype(np.float32), test_labels), name="x", origin="x")


def one_hot(labels):
    return np.eye(3, dtype=np.float32)[labels]


@pytest.mark.parametrize(
    "labels",
    [
        lambda labels: labels[:, None],
        lambda labels: labels.astype(np.float32)[:, None],
        lambda labels: labels.astype(np.float16),
        one_hot,
        lambda labels: one_hot(labels).astype(int),
    ],
)
def test_labels_in_a_column_and_one_hot_are_the_same_labels(labels, tiny):
    found = made(labels=labels)
    assert found.digests == tiny.digests
    assert (found.class_names, found.notes) == (("0", "1", "2"), ())


@pytest.mark.parametrize(
    ("labels", "names"),
    [
        (lambda labels: np.array(["cat", "dog", "eel"])[labels], ("cat", "dog", "eel")),
        (lambda labels: np.array([b"cat", b"dog", b"eel"])[labels], ("cat", "dog", "eel")),
        (lambda labels: labels.astype(int) * 5 - 5, ("-5", "0", "5")),
        (lambda labels: labels + 1, ("1", "2", "3")),
        (lambda labels: labels.astype(np.int64) + 10**6, ("1000000", "1000001", "1000002")),
    ],
)
def test_other_labels_are_mapped_and_name_the_classes(labels, names, tiny):
    found = made(labels=labels)
    assert found.digests == tiny.digests
    assert found.class_names == names
    assert found.notes == (f"x.npz: the labels {', '.join(names)} are classes 0 to 2",)


def test_false_and_true_are_two_classes():
    found = made(labels=lambda labels: labels == 1)
    assert found.class_names == ("0", "1")


def test_names_of_classes_cannot_steer_a_terminal():
    assert made(labels=lambda labels: np.array(["a\x1b[31m", "b", "c"])[labels]).class_names[0] == r"a\x1b[31m"


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (lambda labels: labels + 0.5, r"labels are float64 \(240,\); allowed"),
        (lambda labels: np.zeros((len(labels), 3)), "which are not one-hot"),
        (lambda labels: one_hot(labels) * 2, "which are not one-hot"),
        (lambda labels: labels * 1e300, r"labels are float64 \(240,\); allowed"),
        (lambda labels: np.where(labels == 1, np.nan, labels), r"labels are float64 \(240,\); allowed"),
        (lambda labels: labels[:, None, None], r"labels are uint8 \(240, 1, 1\)"),
        (lambda labels: labels * 0, "all training labels are 0; a classifier needs 2 to 10,000 classes"),
        (lambda labels: np.eye(4)[labels], "no training image has label 3"),
        (lambda labels: labels[1:], "240 training images but 239 labels"),
    ],
)
def test_what_is_no_label_is_refused(labels, message):
    with pytest.raises(DataError, match=message):
        made(labels=labels)


def test_a_test_label_that_training_lacks_is_named():
    train, labels, test, test_labels = tiny_arrays()
    test_labels[0] = 7
    with pytest.raises(DataError, match="a test label is 7, which no training image has"):
        make_dataset((train, labels, test, test_labels), name="x", origin="x")
