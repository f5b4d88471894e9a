"""``toolkit certify``."""

import json
from pathlib import Path

import pytest

from tests.bench.test_certify import certificate

MISTAKES = [
    (("certify",), "exported: no such file or folder"),
    (("certify", "EMPTY"), "nothing to measure there"),
    (("certify", "CUT.tflite", "--seconds", "0"), "the number of seconds is 0; it must be from 0.001"),
    (("certify", "CUT.tflite", "--seconds", "0.01"), "CUT.tflite: LiteRT cannot load it"),
    (("certify", "CUT.tflite", "--threads", "2"), "No such option: --threads"),
]


@pytest.mark.parametrize(("arguments", "message"), MISTAKES)
def test_a_mistake_gets_one_clear_line_and_exit_code_2(mistake, arguments, message):
    mistake(*arguments, says=message)


def test_what_was_found_is_told_and_what_is_required_decides(cli, monkeypatch):
    good, wrong = certificate(), certificate(found=(0.03, 0.02, 0.05))
    made = iter([good, wrong, good])
    monkeypatch.setattr("toolkit.bench.candidates.select", lambda *_, **__: [_Candidate()])
    monkeypatch.setattr("toolkit.bench.certify.certify", lambda *_, **__: next(made))
    code, out, _ = cli("certify", "a.tflite")
    lines = [" ".join(line.split()) for line in out.splitlines()]
    assert code == 0
    assert lines[0] == "a.tflite beside itself and beside slowed copies of itself, in 100 trials"
    five = next(line for line in lines if line.startswith("5.00 %"))
    assert "100 of 100 0 of 100" in five
    assert five.endswith("pass")
    assert (
        "each trial: 10 of 120 processes, drawn at random; 12 trials could be made without using a process twice"
        in lines
    )
    assert "pass: this machine can tell a slow-down of 2 % (seen in at least 80 % of the trials)" in lines
    code, out, _ = cli("certify", "a.tflite")
    assert code == 1
    assert "fail: not all that is required holds; this machine can tell" in out
    code, out, _ = cli("certify", "a.tflite", "--json")
    document = json.loads(out)
    assert (code, document["command"], document["verdict"], document["trials"]) == (0, "certify", "pass", 100)


class _Candidate:
    """What is the smallest of one."""

    path = Path(__file__)
