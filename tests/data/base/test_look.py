"""What is conspicuous about a data set is said, with its figure."""

import numpy as np
import pytest

from tests.conftest import tiny_arrays
from toolkit import data
from toolkit.data.base import make_dataset
from toolkit.data.base.look import look


def seen(train, labels, test, test_labels, **options):
    return look(make_dataset((train, labels, test, test_labels), name="x", origin="x.npz", **options))


def test_good_data_are_not_warned_of(tiny):
    assert look(tiny) == []


def test_pixels_of_0_and_1_are_warned_of():
    train, labels, test, test_labels = tiny_arrays()
    assert seen((train > 127).astype(np.uint8), labels, (test > 127).astype(np.uint8), test_labels) == [
        "x.npz: the pixels of its training images span 0 to 1 of 255; scale them up",
        "x.npz: the pixels of its test images span 0 to 1 of 255; scale them up",
    ]


def test_images_of_one_shade_are_counted():
    train, labels, test, test_labels = tiny_arrays()
    train[[3, 9]] = 7
    test[:8] = 200
    assert seen(train, labels, test, test_labels) == [
        "x.npz: 2 of 240 training images are of one shade, nothing is on them (rows 3, 9)",
        "x.npz: 8 of 90 test images are of one shade, nothing is on them (rows 0, 1, 2, 3, 4, …)",
    ]


def test_rows_are_numbered_through_all_chunks():
    images = np.random.default_rng(0).integers(0, 255, (2500, 2, 2)).astype(np.uint8)
    images[2100] = 9
    labels = np.arange(2500) % 2
    (text,) = seen(images, labels, images[:100], labels[:100])
    assert text.endswith("(rows 2100)")


def test_inverted_test_images_are_warned_of():
    train, labels, test, test_labels = tiny_arrays()
    (text,) = seen(train // 2, labels, 255 - test // 2, test_labels)
    assert (
        text == "x.npz: the mean pixel of its training images is 41, of its test images 214; is one of them inverted?"
    )


def test_much_darker_validation_images_are_warned_of():
    train, labels, test, test_labels = tiny_arrays()
    (text,) = seen(255 - train // 3, labels, 255 - test // 3, test_labels, validation=(148 - test // 3, test_labels))
    assert text == "x.npz: the mean pixel of its training images is 228, of its validation images 121"


def test_a_class_without_test_images_is_named():
    train, labels, test, test_labels = tiny_arrays()
    kept = test_labels != 1
    assert seen(train, labels, test[kept], test_labels[kept]) == [
        "x.npz: 1 of 3 classes have no test image (1); no figure is about them"
    ]


@pytest.mark.parametrize("source", ["sample", "tiny.npz"])
def test_loading_says_it_for_data_that_are_not_published(source, tmp_path):
    said = []
    train, labels, test, test_labels = tiny_arrays()
    train[0] = 0
    np.savez(tmp_path / "tiny.npz", x_train=train, y_train=labels, x_test=test, y_test=test_labels)
    data.load(source if source == "sample" else str(tmp_path / source), warn=said.append)
    assert len(said) == (source != "sample")
