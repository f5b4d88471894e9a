"""A run that nothing has interrupted."""

import shutil
from pathlib import Path

import pytest

from tests.training.made_up import RECIPE


@pytest.fixture(scope="session")
def uninterrupted_once(once, tiny) -> Path:
    """The folder of it. Read only: tests that go on with it take a copy, ``uninterrupted``."""
    from toolkit.training.fit import train

    return once("runs/uninterrupted", lambda folder: train(RECIPE, tiny, folder))


@pytest.fixture
def uninterrupted(tmp_path, uninterrupted_once) -> Path:
    return Path(shutil.copytree(uninterrupted_once, tmp_path / "uninterrupted"))
