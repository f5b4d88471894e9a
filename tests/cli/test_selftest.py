"""``toolkit selftest``: what it prints, from a made-up gate. tests/selftest has a real one."""

import json
from dataclasses import dataclass
from pathlib import Path

import pytest

from toolkit.selftest.run import NOTHING, FaultOutcome, SelfTested

MISTAKES = [
    (("selftest",), "exported: no such file or folder"),
    (("selftest", "EMPTY"), "no manifest.json there or in its subfolders"),
    (("selftest", "none", "--margin", "101"), "the margin, in percentage points, is 101; it must be from 0 to 100"),
    (("selftest", "--golden"), "No such option: --golden"),
]


@pytest.mark.parametrize(("arguments", "message"), MISTAKES)
def test_a_mistake_gets_one_clear_line_and_exit_code_2(mistake, arguments, message):
    mistake(*arguments, says=message)


@dataclass
class _Found:
    folder: Path = Path("exported/net")


CAUGHT = FaultOutcome("a wrong zero point", "net.onnx", ("specification",), ("specification", "recorded"))
SOUND = FaultOutcome(NOTHING, "net.onnx", (), ())
MISSED = FaultOutcome("images transposed", "net.onnx", (), None)


@pytest.mark.parametrize(("outcomes", "code", "wrong"), [((CAUGHT, SOUND), 0, 0), ((CAUGHT, MISSED, SOUND), 1, 1)])
def test_selftest_has_a_row_for_each_fault_and_fails_if_one_is_missed(cli, monkeypatch, outcomes, code, wrong):
    found = _Found()
    monkeypatch.setattr("toolkit.parity.verify.select", lambda paths: [(found, ())])
    monkeypatch.setattr("toolkit.parity.verify.load", lambda *_: None)
    monkeypatch.setattr(
        "toolkit.selftest.run.self_test",
        lambda found, *_, reexports, **__: SelfTested(found, 9, outcomes, reexports, 0),
    )
    ended, out, _ = cli("selftest", "--reexports", "7")
    lines = [" ".join(line.split()) for line in out.splitlines()]
    assert ended == code
    assert "a wrong zero point net.onnx specification specification, recorded right" in lines
    assert "no fault net.onnx – – right" in lines
    assert ("images transposed net.onnx – not asked WRONG" in lines) == bool(wrong)
    assert lines[-1] == (
        f"exported/net: {len(outcomes)} artifacts with and without a fault, {wrong} judged wrong; of 7 faultless "
        "exports with other calibration images 0 were called fail"
    )
    ended, out, _ = cli("selftest", "--reexports", "7", "--json")
    document = json.loads(out)
    assert (ended, document["command"], document["verdict"]) == (code, "selftest", "fail" if code else "pass")
    assert [result["n"] for result in document["results"]] == [9]
