"""Machines with the full MNIST, and without any."""

import pytest

from toolkit.data.base import Dataset


@pytest.fixture
def no_mnist(monkeypatch, tmp_path):
    """A machine without MNIST and without a network."""
    monkeypatch.setenv("TOOLKIT_DATA_DIR", str(tmp_path / "nothing"))
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "nothing"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    from toolkit.errors import DataUnavailableError

    def refuse(url, path, **_):
        raise DataUnavailableError(f"{path.name} could not be fetched (no network in this test)")

    monkeypatch.setattr("toolkit.data.mnist.download", refuse)
    monkeypatch.setattr("toolkit.data.fashion_mnist.download", refuse)


@pytest.fixture(scope="session")
def real_mnist() -> Dataset:
    """The full MNIST, where it is on this machine."""
    from toolkit import data
    from toolkit.data import mnist

    if mnist.locate() is None:
        pytest.skip("the full MNIST is not on this machine (set TOOLKIT_DATA_DIR to the folder of mnist.npz)")
    return data.load("mnist", warn=pytest.fail)
