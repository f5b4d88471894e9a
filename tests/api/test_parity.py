"""Verification from Python."""

import pytest

from toolkit import api
from toolkit.errors import ArtifactError, UsageError


def test_verify_says_what_came_of_each_artifact(exported_once):
    steps = []
    parity = api.verify(exported_once, golden=True, on_step=steps.append)
    assert parity
    assert parity.verdict == "pass"
    assert [comparison.verdict for comparison in parity.comparisons] == ["pass"] * 6
    assert parity.to_json()["command"] == "verify"
    assert [(step.done, step.total) for step in steps] == [(number, 6) for number in range(1, 7)]
    assert [step.about for step in steps] == parity.comparisons


def test_a_verification_that_fails_is_false(exported):
    (exported / "cnn-int8.tflite").write_bytes(b"damaged")
    parity = api.verify(exported / "cnn-int8.tflite", golden=True)
    assert not parity
    assert parity.verdict == "fail"


def test_verify_saves_records_and_draws_flips(exported, tiny_npz, here):
    parity = api.verify(exported, data=tiny_npz, margin_pp=5, save=True, flips="flips.png")
    assert parity.records == (exported / "parity.json",)
    assert api.check_record(exported)
    assert (here / "flips.png").is_file()
    assert api.verify(exported, golden=True).records == ()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"golden": True, "save": True}, "results by golden measure no accuracy and are not saved"),
        ({"flips": "flips.gif"}, "flips.gif: a picture must end in .png or .svg"),
    ],
)
def test_verify_refuses_what_makes_no_sense_before_it_looks(here, options, message):
    with pytest.raises(UsageError, match=message):
        api.verify("nowhere", **options)


def test_verifying_a_folder_that_is_not_there_is_an_error(tmp_path):
    with pytest.raises(ArtifactError, match="no such file or folder"):
        api.verify(tmp_path / "none")
