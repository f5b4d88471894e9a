"""Data sets from Python."""

import numpy as np
import pytest

from tests.conftest import SIDE
from toolkit import api
from toolkit.errors import DataUnavailableError


def test_sources_are_listed_and_data_are_loaded(tiny_npz, no_mnist):
    sources = api.list_data()
    assert [source.is_named for source in sources] == sorted((source.is_named for source in sources), reverse=True)
    assert {source.name: source.place for source in sources}["mnist"] is None
    dataset = api.load_data(tiny_npz)
    assert (len(dataset.train), dataset.input_shape, dataset.notes) == (240, (SIDE, SIDE, 1), ())
    with pytest.raises(DataUnavailableError, match="mnist is not on this machine"):
        api.load_data("mnist", fetch=False)
    with pytest.warns(api.ToolkitWarning, match="Going on with 'sample'"):
        assert api.load_data("auto", fetch=False).name == "sample"


def test_what_is_conspicuous_of_data_is_kept_and_warned_of(tmp_path, tiny):
    train, test = tiny.train, tiny.test
    arrays = {"x_train": train.images // 8, "y_train": train.labels, "x_test": test.images // 8, "y_test": test.labels}
    np.savez(tmp_path / "dark.npz", **arrays)
    with pytest.warns(api.ToolkitWarning) as caught:
        dataset = api.load_data(tmp_path / "dark.npz")
    assert dataset.notes == tuple(str(warning.message) for warning in caught)
    assert dataset.to_json()["warnings"] == list(dataset.notes)
