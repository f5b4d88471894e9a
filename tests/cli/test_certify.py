"""``toolkit certify``."""

import json
from pathlib import Path

import pytest

from tests.bench.test_certify import trial
from toolkit.bench.certify import Certificate

MISTAKES = [
    (("certify",), "exported: no such file or folder"),
    (("certify", "EMPTY"), "nothing to measure there"),
    (("certify", "CUT.tflite", "--seconds", "0"), "the seconds above 0"),
    (("certify", "CUT.tflite", "--threads", "2"), "No such option: --threads"),
]


@pytest.mark.parametrize(("arguments", "message"), MISTAKES)
def test_a_mistake_gets_one_clear_line_and_exit_code_2(mistake, arguments, message):
    mistake(*arguments, says=message)


def test_what_was_found_is_told_and_one_false_call_of_ten_fails(cli, monkeypatch):
    good = [trial(100, 100, 102, 105, 110, seed=seed) for seed in range(10)]
    wrong = [trial(100, 103, 102, 105, 110), *good[1:]]
    made = iter([Certificate(Path("a.tflite"), tuple(trials)) for trials in (good, wrong, good)])
    monkeypatch.setattr("toolkit.bench.candidates.select", lambda *_, **__: [_Candidate()])
    monkeypatch.setattr("toolkit.bench.certify.certify", lambda *_, **__: next(made))
    code, out, _ = cli("certify", "a.tflite")
    lines = [" ".join(line.split()) for line in out.splitlines()]
    assert code == 0
    assert lines[0] == "a.tflite against itself and against slowed copies of itself, in 10 trials"
    assert "none +0.0% 0 of 10 0 of 10 10 of 10" in lines
    assert "10% +10.0% 10 of 10 0 of 10 10 of 10" in lines
    assert "pass: called different from itself in 0 of 10; allowed: 5%" in lines
    assert "this machine can tell a slow-down of 2% (seen in 80% of the trials)" in lines
    code, out, _ = cli("certify", "a.tflite")
    assert code == 1
    assert "fail: called different from itself in 1 of 10; allowed: 5%" in out
    code, out, _ = cli("certify", "a.tflite", "--json")
    document = json.loads(out)
    assert (code, document["command"], document["verdict"], document["trials"]) == (0, "certify", "pass", 10)


class _Candidate:
    """What is the smallest of one."""

    path = Path(__file__)
