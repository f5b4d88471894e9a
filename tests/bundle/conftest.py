"""A bundle of the tiny CNN."""

import pytest

from tests.bundle.made import bundle_of


@pytest.fixture
def bundle(exported_once, tmp_path):
    return bundle_of(exported_once, "cnn-int8.tflite", tmp_path / "b.zip")
