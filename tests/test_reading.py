"""What a user asks of the reading of data, as text and as a document."""

from pathlib import Path

import pytest

from toolkit import reading
from toolkit.errors import RunError, UsageError
from toolkit.reading import Reading, parse_keys, parse_size


@pytest.mark.parametrize(("text", "size"), [("96x128", (96, 128)), ("28X28", (28, 28)), ("8×9", (8, 9))])
def test_a_size_is_height_and_width(text, size):
    assert parse_size(text) == size


@pytest.mark.parametrize("text", ["", "96", "x", "96x", "-1x5", "9.5x5", "96x96x3", "²x3", "1" * 30 + "x1"])
def test_what_is_no_size_is_refused(text):
    with pytest.raises(UsageError, match="is no image size; give height and width, for example 96x128"):
        parse_size(text)


def test_keys_name_the_arrays_of_an_npz_file():
    assert parse_keys("x_train=images, y_train=labels") == {"x_train": "images", "y_train": "labels"}


@pytest.mark.parametrize("text", ["", "x_train", "x_train=", "=images", "x_train=a,x_train=b"])
def test_what_names_no_array_is_refused(text):
    with pytest.raises(UsageError, match=r"names no arrays|names two arrays for one"):
        parse_keys(text)


def test_an_array_that_is_not_one_of_a_data_set_is_refused():
    with pytest.raises(UsageError, match="an array cannot stand for 'images'; allowed: x_train, y_train, x_test"):
        Reading(keys={"images": "x_train"})


@pytest.mark.parametrize(
    "asked",
    [
        Reading(),
        Reading(image_size=(3, 4), resize="crop"),
        Reading(model_shape=(8, 8, 3)),
        Reading(skip_unreadable=True),
        Reading(keys={"x_train": "images"}),
    ],
)
def test_a_reading_survives_its_document(asked):
    assert reading.from_json(asked.to_json(), Path("config.json"), error=RunError) == asked


def test_what_is_not_asked_for_is_not_recorded():
    assert Reading().to_json() == {}


@pytest.mark.parametrize("wrong", [{"resize": 3}, {"image_size": [1]}, {"colour": 1}, {"resize": "squeeze"}])
def test_a_damaged_document_is_refused_by_name(wrong):
    with pytest.raises(RunError, match=r"config\.json"):
        reading.from_json(wrong, Path("config.json"), error=RunError)


def test_of_a_reading_only_what_a_source_can_use_is_kept():
    asked = Reading(image_size=(3, 4), keys={"x_train": "images"})
    assert asked.only(("keys",)) == Reading(keys={"x_train": "images"})
