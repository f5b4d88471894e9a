"""Which images int8 takes its ranges from."""

import numpy as np
import pytest

from toolkit import manifest
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
