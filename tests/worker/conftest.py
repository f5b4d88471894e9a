"""Workers are what these tests are about: each starts its own."""

import pytest

from tests.kept_workers import CLOSE, START
from toolkit.worker import session
from toolkit.worker.session import Workers


@pytest.fixture(autouse=True)
def _workers_are_not_kept(monkeypatch):
    monkeypatch.setattr(session, "_start", START)
    monkeypatch.setattr(Workers, "close", CLOSE)
