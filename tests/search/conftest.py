"""Data with enough test rows to show that one network is as good as another."""

import pytest

from tests.conftest import tiny_arrays
from toolkit.data.base import make_dataset


@pytest.fixture(scope="session")
def many():
    return make_dataset(tiny_arrays(test=3_000), name="tiny", origin="tests")


@pytest.fixture
def closed(monkeypatch):
    """What is trained here has no weights that could be exported."""
    monkeypatch.setattr("toolkit.search.conduct.prove", lambda search, *_, **__: search)
