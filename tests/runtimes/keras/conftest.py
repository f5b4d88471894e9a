"""Keras, for the tests of the files that it reads."""

import pytest

from toolkit import extras


@pytest.fixture
def keras():
    return extras.load("keras")
