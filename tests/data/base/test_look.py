"""What is conspicuous about a data set is said, with its figure."""

import numpy as np
import pytest

from tests.conftest import tiny_arrays
from toolkit import data
from toolkit.data.base import make_dataset
from toolkit.data.base.look import look
from toolkit.data.base.values import as_values


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


def test_a_column_that_numbers_the_rows_is_said(tmp_path):
    rng = np.random.default_rng(0)
    table = np.stack(
        [rng.permutation(90) + 7, np.arange(90) * 9, rng.permutation(90) + 0.5, np.arange(90) // 2], axis=1
    )
    labels = np.arange(90) % 3
    assert seen(table[:60], labels[:60], table[60:], labels[60:], conversion=as_values) == [
        "x.npz: 1 of 4 columns number the rows (0); a model learns nothing about other rows from them; remove them"
    ]
    many, classes = rng.permutation(5000)[:, None], np.arange(5000) % 3
    assert len(seen(many[:4000], classes[:4000], many[4000:], classes[4000:], conversion=as_values)) == 1
    assert seen(table[:9], labels[:9], table[60:], labels[60:], conversion=as_values) == []


def test_a_column_that_grows_as_time_does_is_said():
    rng = np.random.default_rng(0)
    steps = np.tile(np.arange(12), (30, 1)) + rng.normal(size=(30, 1))
    windows = np.stack([rng.normal(size=(30, 12)), steps, np.ones((30, 12)), np.floor(steps / 5)], axis=2)
    labels = np.arange(30) % 2
    assert seen(windows, labels, windows, labels, conversion=as_values) == [
        "x.npz: 1 of 4 columns have one value in all training rows (2); a model learns nothing from them",
        "x.npz: 2 of 4 columns only grow from step to step, as time does (1, 3); remove what only says when, or call "
        "it time in recordings, which leave that out",
    ]


@pytest.mark.parametrize("source", ["sample", "tiny.npz"])
def test_loading_says_it_for_data_that_are_not_published(source, tmp_path):
    said = []
    train, labels, test, test_labels = tiny_arrays()
    train[0] = 0
    np.savez(tmp_path / "tiny.npz", x_train=train, y_train=labels, x_test=test, y_test=test_labels)
    data.load(source if source == "sample" else str(tmp_path / source), warn=said.append)
    assert len(said) == (source != "sample")
