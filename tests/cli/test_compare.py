"""``toolkit compare`` and ``record compare``: what they print, and when they fail."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from tests.bench.instructions.test_count import counts_of
from tests.bench.test_compare_records import NEW, OLD, record_of
from tests.bench.test_versus import BYTES, IMAGE, versus_of
from tests.runtimes.test_shapes import pooled
from toolkit.bench import record

MISTAKES = [
    (("compare", "EMPTY"), "Missing argument 'new'"),
    (("compare", "CUT.tflite", "CUT.onnx", "--seconds", "0.01"), "CUT.tflite: LiteRT cannot load it"),
    (
        ("compare", "EMPTY", "CUT.tflite"),
        "EMPTY: not an artifact; allowed: one .keras, .tflite, .onnx file; 'toolkit record",
    ),
    (("compare", "CUT.tflite", "none.tflite"), "none.tflite: no such file"),
    (("record", "compare", "EMPTY", "EMPTY"), "no such file; 'toolkit bench' writes record.json"),
    (("record", "compare", "CUT.npz", "EMPTY"), "CUT.npz: not the record of a benchmark"),
    (("compare", "--instructions", "CUT.tflite", "EMPTY"), "EMPTY: not an artifact; allowed: one "),
    (("compare", "--instructions", "CUT.tflite", "CUT.onnx", "--seed", "1"), "--seed is for timing; leave it out with"),
    (("compare", "--instructions", "CUT.tflite", "none.tflite"), "none.tflite: no such file"),
]


@pytest.mark.parametrize(("arguments", "message"), MISTAKES)
def test_a_mistake_gets_one_clear_line_and_exit_code_2(mistake, arguments, message):
    mistake(*arguments, says=message)


@pytest.mark.parametrize(
    ("new", "facts", "failures", "tolerance", "code", "said"),
    [
        (NEW, {}, {}, "5", 1, "surely more than 5 % slower: 1 of 3; surely not: 2 of 3 (with 95 % confidence)"),
        (NEW, {}, {}, "62.5", 0, "surely more than 62.5 % slower: 0 of 3; surely not: 3 of 3"),
        (
            OLD,
            {},
            {"x.tflite": "x.tflite: it crashed"},
            "5",
            1,
            "surely more than 5 % slower: 0 of 4; surely not: 4 of 4",
        ),
        (
            NEW,
            {"cpu": "another"},
            {},
            "5",
            0,
            "measured on two machines, by their CPU: side by side, without a verdict",
        ),
    ],
)
def test_a_comparison_of_records_fails_where_one_is_slower(
    cli, monkeypatch, new, facts, failures, tolerance, code, said
):
    made = {Path("old"): record_of(OLD, 1), Path("new"): record_of(new, 2, **facts)}
    made[Path("new")].failures = failures
    monkeypatch.setattr(record, "read", made.__getitem__)
    ended, out, err = cli("record", "compare", "old", "new", "--tolerance", tolerance)
    assert ended == code
    assert said in out
    assert ("x.tflite was not measured in new: it crashed" in err) == bool(failures)
    assert ("the files are the same, by their digests" in out) == (not facts)
    assert ("gone.tflite (threads 1, batch 1) is in old only" in err) == (new is NEW)
    ended, out, _ = cli("record", "compare", "old", "new", "--tolerance", tolerance, "--json")
    document = json.loads(out)
    assert (ended, document["command"]) == (code, "record compare")
    assert document["verdict"] == ("fail" if code else None if facts else "pass")


def test_only_records_of_other_files_are_told_to_time_these_side_by_side(cli, monkeypatch):
    made = {Path("old"): record_of(OLD, 1), Path("new"): record_of(OLD, 2)}
    made[Path("new")].results[0] = replace(made[Path("new")].results[0], sha256="1" * 64)
    monkeypatch.setattr(record, "read", made.__getitem__)
    _, out, _ = cli("record", "compare", "old", "new")
    assert out.endswith("if the two files are timed side by side: toolkit compare OLD.tflite NEW.tflite\n")
    pairs = json.loads(cli("record", "compare", "old", "new", "--json")[1])["compared"]
    assert [pair["same_file"] for pair in pairs] == [False, True, True, True]


def test_a_negative_tolerance_is_refused(cli, monkeypatch):
    monkeypatch.setattr(record, "read", lambda folder: record_of(OLD, 1))
    code, _, err = cli("record", "compare", "old", "new", "--tolerance", "-100")
    assert (code, err) == (2, "error: the tolerance, in percent, is -100; it must be from 0 to 100,000\n")


def test_two_files_are_compared_side_by_side(cli, monkeypatch):
    made = iter([versus_of(0.1), versus_of(0.0, inputs=(IMAGE, BYTES), runtimes=("litert", "onnxruntime"))])
    monkeypatch.setattr("toolkit.api.compare", lambda *_, **__: next(made))
    code, out, err = cli("compare", "a.tflite", "b.tflite")
    lines = [" ".join(line.split()) for line in out.splitlines()]
    assert code == 1
    assert "a.litert litert 1×8×8×1 float32 100 µs – – reference" in lines
    assert "b.litert litert 1×8×8×1 float32 110 µs 0.909× 0.909 – 0.909 slower, at least 1.09×" in lines
    assert "b.litert is more than 5 % slower, with 95 % confidence" in lines
    assert "timed side by side in one process, in blocks that alternate: 80 pairs of 4 processes" in out
    assert err == ""
    code, out, err = cli("compare", "a.tflite", "b.onnx")
    assert code == 0
    assert "side by side in two processes on one core" in out
    assert "the two take different inputs, as the table shows; each was given its own" in err


@pytest.mark.parametrize(
    ("spread", "said"),
    [
        (1e-4, "b.litert is not more than 5 % slower, with 95 % confidence"),
        (0.1, "whether b.litert is more than 5 % slower cannot be told from this: measure longer (--seconds)"),
    ],
)
def test_what_is_not_surely_slower_is_called_no_slower_only_if_that_is_sure(cli, monkeypatch, spread, said):
    monkeypatch.setattr("toolkit.api.compare", lambda *_, **__: versus_of(0.0, spread=spread))
    code, out, _ = cli("compare", "a.tflite", "b.tflite")
    assert (code, out.splitlines()[-1]) == (0, said)


@pytest.mark.parametrize(
    ("tolerance", "code", "said"),
    [
        ((), 1, "new.tflite executes more than 1 % more than"),
        (("--tolerance", "2"), 0, "executes at most 2 % more than"),
    ],
)
def test_two_files_are_compared_by_instructions(cli, monkeypatch, here, tolerance, code, said):
    for name in ("old.tflite", "new.tflite"):
        (here / name).write_text(name)
    counts_of(monkeypatch, old=100_000, new=101_500)
    ended, out, err = cli("compare", "--instructions", "old.tflite", "new.tflite", *tolerance)
    assert (ended, err) == (code, "")
    lines = [" ".join(line.split()) for line in out.splitlines()]
    assert "old.tflite litert 100,000 reference" in lines
    assert "new.tflite litert 101,500 +1.50 %" in lines
    assert "instructions of one inference, counted by perf events on some CPU" in lines
    assert said in out
    document = json.loads(cli("compare", "--instructions", "old.tflite", "new.tflite", *tolerance, "--json")[1])
    assert (document["verdict"], document["compared"][0]["ratio"]) == ("fail" if code else "pass", 1.015)


@pytest.mark.slow
def test_inputs_of_any_size_are_compared_in_the_shape_that_is_given(cli, here, monkeypatch):
    files = pooled(here / "old.onnx"), pooled(here / "new.onnx", ("batch", 3, "rows", "columns"))
    quick = ("compare", *files, "--seconds", "0.05", "--processes", "1", "--tolerance", "100000")
    code, out, _ = cli(*quick, "--shape", "pixels:1,3,16,16")
    assert (code, out.count("1×3×16×16 float32")) == (0, 2)
    code, _, err = cli(*quick)
    assert (code, "'toolkit bench' and 'compare' take others by --shape NAME:1,3" in err) == (2, True)
    fixed = pooled(here / "fixed.onnx", ("batch", 3, 8, 8))
    code, out, _ = cli("compare", files[0], fixed, *quick[3:], "--shape", "pixels:1,3,16,16")
    assert (code, "1×3×16×16 float32" in out, "?×3×8×8 float32" in out) == (0, True, True)
    for verb in (("compare", fixed), ("compare", "--instructions", fixed), ("bench",)):
        code, _, err = cli(*verb, fixed, "--shape", "image:1,3,16,16")
        assert (code, "no file has an input 'image' that can be (1, 3, 16, 16); they take pixels" in err) == (2, True)
    asked = counts_of(monkeypatch, old=1, new=1)
    assert cli("compare", "--instructions", *files, "--shape", "pixels:1,3,16,16")[0] == 0
    assert asked == [{"pixels": [1, 3, 16, 16]}] * 2


def test_a_file_compared_with_itself_is_called_the_same(cli, exported_once):
    path = exported_once / "cnn-int8.tflite"
    code, out, _ = cli("compare", path, path)
    assert code == 0
    assert "are the same file, by their digests" in out
    assert json.loads(cli("compare", path, path, "--json")[1])["compared"][0]["same_file"] is True
    code, out, _ = cli("compare", "--instructions", path, path)
    assert (code, "there is nothing to count" in out) == (0, True)
