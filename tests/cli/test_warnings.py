"""Warnings of the API on the command line."""

import warnings

import pytest

from toolkit.cli import call


def test_a_warning_of_the_api_is_a_line_on_stderr(capfd, exported_once, monkeypatch):
    monkeypatch.setattr("toolkit.parity.verify.installed", lambda runtime: runtime != "keras")
    for _ in range(2):  # each time, also where Python would show it once
        assert call(["verify", str(exported_once / "cnn-int8.tflite")]) == 0
        said = (
            "warning: TensorFlow is not installed: comparing with golden.npz, which shows equal outputs, not accuracy\n"
        )
        assert capfd.readouterr().err == said


def test_a_warning_of_another_is_not_taken_for_one(capfd, monkeypatch):
    monkeypatch.setattr("toolkit.data.sources", lambda: warnings.warn("old", UserWarning, stacklevel=1) or {})
    with pytest.warns(UserWarning, match="old"):
        call(["data"])
    assert "warning: old" not in capfd.readouterr().err
