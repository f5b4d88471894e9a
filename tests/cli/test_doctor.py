"""``toolkit doctor``."""

import json

import pytest

MISTAKES = [
    (("doctor", "none"), "none: no such file or folder"),
    (("doctor", "EMPTY"), "neither a manifest.json nor a model there or below"),
]


@pytest.mark.parametrize(("arguments", "message"), MISTAKES)
def test_a_mistake_gets_one_clear_line_and_exit_code_2(mistake, arguments, message):
    mistake(*arguments, says=message)


@pytest.mark.slow
def test_doctor_shows_what_works_and_fails_where_something_is_broken(cli, exported, monkeypatch):
    monkeypatch.setattr("toolkit.doctor.report.parts", lambda: ("numpy", "litert"))
    code, out, err = cli("doctor", exported)
    assert (code, err) == (0, "")
    assert ", ran a model on CPU" in out
    assert "verdict: ok" in out
    (exported / "cnn-int8.onnx").write_bytes(b"changed")
    code, out, _ = cli("doctor", exported)
    assert code == 1
    assert f"broken: {exported / 'cnn-int8.onnx'}: " in out
    assert "verdict: broken" in out
    code, out, _ = cli("doctor", exported, "--json")
    document = json.loads(out)
    assert (code, document["verdict"]) == (1, "broken")
    assert [part["state"] for part in document["parts"]] == ["ok", "ok"]
