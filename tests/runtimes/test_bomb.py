"""Keras models that are refused before Keras sees them."""

import zipfile

import pytest

from toolkit.errors import ArtifactError
from toolkit.runtimes.keras.loading import load_model


def test_a_keras_file_whose_parts_are_too_large_is_refused_before_keras_sees_it(tmp_path, monkeypatch):
    path = tmp_path / "bomb.keras"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as bomb:
        bomb.writestr("config.json", b" " * (17 << 20))
    monkeypatch.setattr("toolkit.extras.load", pytest.fail)
    with pytest.raises(
        ArtifactError, match=r"bomb\.keras: cannot be read as a whole \.keras file: 'config\.json' claims 17,"
    ):
        load_model(path)
