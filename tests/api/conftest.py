"""Nothing of the API prints."""

import pytest


@pytest.fixture(autouse=True)
def _silent(capfd):
    yield
    assert capfd.readouterr() == ("", "")
