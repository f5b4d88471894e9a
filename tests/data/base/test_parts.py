"""Which rows weights are learned from, and which validate them."""

import numpy as np
import pytest

from tests.conftest import tiny_arrays
from toolkit.data.base import make_dataset, stratified_split
from toolkit.data.base.parts import DRAWN, GIVEN, LAST, NONE, divide
from toolkit.errors import UsageError


def dataset(labels=None, **options):
    images, own, test, test_labels = tiny_arrays()
    labels = own if labels is None else labels
    return make_dataset((images, labels, test, test_labels), name="x", origin="x.npz", **options)


def test_the_last_rows_validate_where_they_hold_every_class(tiny):
    parts = divide(tiny, share=0.2, seed=5)
    assert (parts.how, parts.notes) == (LAST, ())
    assert parts.training_rows.tolist() == list(range(192))
    assert parts.validation_rows.tolist() == list(range(192, 240))
    assert len(parts.learned) == 192
    np.testing.assert_array_equal(parts.learned.rows(slice(190, 200)).images, tiny.train.images[190:192])


def test_sorted_rows_are_drawn_by_class():
    given = dataset(np.sort(tiny_arrays()[1]))
    parts = divide(given, share=0.2, seed=0)
    assert parts.how == DRAWN
    assert parts.notes == (
        "x.npz: the last training images do not hold every class; 48 of 240 were drawn by class to validate with",
    )
    assert sorted([*parts.training_rows, *parts.validation_rows]) == list(range(240))
    assert np.bincount(given.train.labels[parts.validation]).tolist() == [16, 16, 16]


def test_the_same_seed_draws_the_same_rows_and_another_draws_others():
    given = dataset(np.sort(tiny_arrays()[1]))
    rows = [divide(given, share=0.2, seed=seed).validation_rows.tolist() for seed in (3, 3, 4)]
    assert rows[0] == rows[1] != rows[2]


def test_a_class_of_one_image_is_learned_and_said_to_be_without_validation():
    labels = np.sort(tiny_arrays()[1])
    labels[labels == 2] = 1
    labels[-1] = 2
    parts = divide(dataset(labels), share=0.2, seed=0)
    assert 239 in parts.training_rows
    assert parts.notes[0].endswith("; class 2 has no image to validate with")


def test_validation_that_the_data_bring_is_used_as_it_is():
    _, _, test, test_labels = tiny_arrays(seed=1)
    given = dataset(validation=(test[:30], test_labels[:30]))
    parts = divide(given, share=0.2, seed=0)
    assert (parts.how, len(parts.training_rows), len(parts.validation_rows)) == (GIVEN, 240, 30)
    assert parts.held_out is given.validation
    assert len(given.learned_digests) == 270
    assert set(given.digests) >= {"validation_images", "validation_labels"}
    assert divide(given, share=0.0, seed=0).how == GIVEN


def test_validation_images_that_are_training_images_are_found():
    images, labels, _, _ = tiny_arrays()
    (found,) = divide(dataset(validation=(images[5:8], labels[5:8])), share=0.2, seed=0).shared_images(allowed=True)
    assert (found.part, found.other, found.count) == ("validation", "training", 3)


def test_no_share_leaves_no_validation(tiny):
    parts = divide(tiny, share=0.0, seed=0)
    assert (parts.how, len(parts.training_rows), len(parts.validation_rows)) == (NONE, 240, 0)


def test_a_share_of_no_row_is_refused(tiny):
    with pytest.raises(UsageError, match=r"240 training rows leave none to validate with 0\.001 of them"):
        divide(tiny, share=0.001, seed=0)


@pytest.mark.parametrize(("count", "test"), [(1, 0), (2, 1), (3, 1), (10, 2)])
def test_a_class_of_two_images_has_one_in_each_part(count, test):
    labels = np.repeat([0, 1], [1000, count])
    train_rows, test_rows = stratified_split(labels, test_share=0.2, seed=0)
    assert np.bincount(labels[test_rows], minlength=2).tolist() == [200, test]
    assert len(train_rows) + len(test_rows) == 1000 + count
