"""Which images int8 takes its ranges from."""

import numpy as np
import pytest

from toolkit import manifest
from toolkit.data.base import Split
from toolkit.errors import UsageError
from toolkit.export import calibration


def test_calibration_images_are_training_rows_only(exported_once, tiny):
    rows = np.array(manifest.read(exported_once).calibration.rows)
    assert rows.max() < 192  # of 240, the last 20 % validate
    again = calibration.choose(tiny.train.rows(slice(0, 192)), count=50, seed=0).listed("tiny")
    assert again == manifest.read(exported_once).calibration


@pytest.mark.parametrize("count", [0, 193])
def test_a_calibration_count_that_cannot_be_is_refused(tiny, count):
    with pytest.raises(UsageError, match="allowed: 1 to 192"):
        calibration.choose(tiny.train.rows(slice(0, 192)), count=count, seed=0)


def test_small_data_calibrate_with_what_they_have(tiny):
    assert len(calibration.choose(tiny.train.rows(slice(0, 192)), count=None, seed=0).rows) == 192


@pytest.mark.parametrize(("side", "count"), [(28, 500), (96, 500), (160, 191), (224, 100)])
def test_large_photos_calibrate_in_smaller_numbers(side, count):
    photos = Split(np.broadcast_to(np.zeros(3, np.uint8), (600, side, side, 3)), np.zeros(600, np.int64))
    assert len(calibration.choose(photos, count=None, seed=0).rows) == count
    assert len(calibration.choose(photos, count=120, seed=0).rows) == 120


@pytest.mark.parametrize("count", [None, 1])
def test_no_rows_cannot_calibrate(count):
    nothing = Split(np.zeros((0, 8, 8, 1), np.uint8), np.zeros(0, np.int64))
    with pytest.raises(UsageError, match="allowed: 1 to 0"):
        calibration.choose(nothing, count=count, seed=0)
