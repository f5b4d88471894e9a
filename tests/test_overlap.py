"""Shared images are found, counted, named and refused."""

import numpy as np
import pytest

from tests.conftest import tiny_arrays
from toolkit import overlap
from toolkit.data.base import make_dataset
from toolkit.data.base.parts import divide
from toolkit.errors import DataError


def leaky(**copies):
    """The tiny data with some images copied from one part into another."""
    images, labels, test_images, test_labels = tiny_arrays()
    if "test" in copies:
        test_images[[5, 7]] = images[[3, 4]]
    if "validation" in copies:
        images[200] = images[0]
    return make_dataset((images, labels, test_images, test_labels), name="leaky", origin="tests")


def test_the_tiny_data_share_nothing(tiny):
    assert divide(tiny, share=0.2, seed=0).shared_images(allowed=False) == ()


def test_shared_images_are_counted_and_named():
    (found,) = divide(leaky(test=True), share=0.2, seed=0).shared_images(allowed=True)
    assert (found.part, found.other, found.count, found.rows, found.first) == ("test", "training", 2, 90, (5, 7))
    (found,) = divide(leaky(validation=True), share=0.2, seed=0).shared_images(allowed=True)
    assert (found.part, found.other, found.count, found.first) == ("validation", "training", 1, (8,))


def test_an_image_is_the_same_whatever_its_array_s_layout(tiny):
    image = tiny.test.images[0]
    digest = overlap.row_digest(image)
    assert overlap.row_digest(image[..., 0]) == overlap.row_digest(np.asfortranarray(image)) == digest
    assert overlap.from_hex([digest.hex()])[0] == tiny.test.row_digests[0]


def test_an_overlap_is_refused_unless_it_is_allowed():
    parts = divide(leaky(test=True), share=0.2, seed=0)
    with pytest.raises(DataError, match=r"'leaky' \(tests\): 2 of the 90 test images are training .* \(rows 5, 7\)"):
        parts.shared_images(allowed=False)
    assert len(parts.shared_images(allowed=True)) == 1


def test_a_long_list_of_shared_images_is_cut():
    digests = np.arange(100, dtype=np.uint64)
    (found,) = overlap.find({"training": digests, "test": digests})
    assert found.sentence("image") == "100 of the 100 test images are training images too (rows 0, 1, 2, 3, 4, …)"


def test_rows_of_a_table_are_no_images():
    digests = np.arange(2, dtype=np.uint64)
    shared = overlap.find({"training": digests, "test": digests})
    said = r"'measured': 2 of the 2 test rows are training rows too \(rows 0, 1\)\. What is measured on rows that"
    with pytest.raises(DataError, match=said):
        overlap.refuse(shared, what="'measured'", noun="row", allowed=False)
