"""What is exported here is of the tests' own making."""

import pytest


@pytest.fixture(autouse=True)
def _own_files(trusted):
    """Keras files are not tried, which ``tests.worker.test_keras`` is about."""
