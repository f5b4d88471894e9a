"""``toolkit compare``: what it prints of two records, and when it fails."""

import json
from pathlib import Path

import pytest

from tests.bench.test_compare import NEW, OLD, record_of
from toolkit.bench import record

MISTAKES = [
    (("compare", "EMPTY"), "Missing argument 'new'"),
    (("compare", "EMPTY", "EMPTY"), "no such file; 'toolkit bench' writes record.json"),
    (("compare", "CUT.npz", "EMPTY"), "CUT.npz: not the record of a benchmark"),
]


@pytest.mark.parametrize(("arguments", "message"), MISTAKES)
def test_a_mistake_gets_one_clear_line_and_exit_code_2(mistake, arguments, message):
    mistake(*arguments, says=message)


@pytest.mark.parametrize(
    ("new", "facts", "failures", "tolerance", "code", "said"),
    [
        (NEW, {}, {}, "5", 1, "1 of 3 are more than 5 % slower, with 95 % confidence"),
        (NEW, {}, {}, "62.5", 0, "0 of 3 are more than 62.5 % slower, with 95 % confidence"),
        (OLD, {}, {"x.tflite": "x.tflite: it crashed"}, "5", 1, "0 of 4 are more than 5 % slower"),
        (NEW, {"cpu": "another"}, {}, "5", 0, "measured on two machines: side by side, without a verdict"),
    ],
)
def test_it_fails_where_one_is_slower_or_fails(cli, monkeypatch, new, facts, failures, tolerance, code, said):
    made = {Path("old"): record_of(OLD, 1), Path("new"): record_of(new, 2, **facts)}
    made[Path("new")].failures = failures
    monkeypatch.setattr(record, "read", made.__getitem__)
    ended, out, err = cli("compare", "old", "new", "--tolerance", tolerance)
    assert ended == code
    assert said in out
    assert ("x.tflite was not measured in new: it crashed" in err) == bool(failures)
    assert ("gone.tflite (threads 1, batch 1) is in old only" in err) == (new is NEW)
    ended, out, _ = cli("compare", "old", "new", "--tolerance", tolerance, "--json")
    document = json.loads(out)
    assert (ended, document["command"]) == (code, "compare")
    assert document["verdict"] == ("fail" if code else None if facts else "pass")


def test_a_negative_tolerance_is_refused(cli, monkeypatch):
    monkeypatch.setattr(record, "read", lambda folder: record_of(OLD, 1))
    code, _, err = cli("compare", "old", "new", "--tolerance", "-100")
    assert (code, err) == (2, "error: the tolerance is -100 %; it must be 0 % or more\n")
