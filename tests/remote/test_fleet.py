"""What the user reads of devices that answer badly, whatever they were sent."""

import json
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from tests.remote.scripted import HELLO, READY
from tests.remote.test_cargo import sent
from tests.remote.test_devices import ONE
from toolkit.bench.result import Mark
from toolkit.files import sha256
from toolkit.parity.compare import Comparison, Recorded
from toolkit.parity.figures import Figures
from toolkit.parity.result import Part
from toolkit.remote import ssh
from toolkit.remote.answer import DeviceParity
from toolkit.wire import MARK


def test_what_fails_when_the_work_is_handed_over_is_named(call_here, scripted):
    full = {"error": "disk", "output": "No space left on device", "free_bytes": 0}
    gone = {"error": "system", "output": "/cache/python: No such file or directory"}
    ready = (HELLO, {"ready": True, "missing": []})
    for name, said in (("full", full), ("gone", gone)):
        scripted.device(name, *ready, MARK, said)
    assert call_here("device", "verify", ONE, "--on", "full")[::2] == (
        2,
        ["error: full: its disk is full (0 B free); an environment takes about 300 MB"],
    )
    assert call_here("device", "verify", ONE, "--on", "gone")[::2] == (
        2,
        ["error: gone: its environment does not start: /cache/python: No such file or directory"],
    )


def test_a_verification_that_is_cut_off_names_the_way_on(call_here, scripted, monkeypatch):
    monkeypatch.setattr(ssh, "END_S", 0.2)
    scripted.device("cut", *READY, b"no message\n")
    code, _, err = call_here("device", "verify", ONE, "--on", "cut")
    assert (code, len(err)) == (2, 1)
    assert err[0].startswith("error: cut: the connection was lost; ")
    assert err[0].endswith("; run the same command again: what was copied and installed is still there")


def test_a_device_that_takes_nothing_is_given_up(call_here, scripted, monkeypatch):
    monkeypatch.setattr(ssh, "SILENCE_S", 0.2)
    monkeypatch.setattr(ssh, "END_S", 0.2)
    scripted.device("deaf", HELLO, {"ready": True, "missing": [sha256(ONE)]}, deaf=True)
    code, _, err = call_here("device", "verify", ONE, "--on", "deaf")
    said = "the connection was lost; run the same command again: what was copied and installed is still there"
    assert (code, err[-1]) == (2, f"error: deaf: {said}")


def found(**facts):
    """What a device finds of one artifact."""
    counts = dict.fromkeys(("lost", "gained", "changed", "clear_changes"), 0)
    errors = dict.fromkeys(
        ("max_abs_error", "kl_mean", "kl_max", "calibration_error", "reference_calibration_error"), 0.0
    )
    classes = dict.fromkeys(("class_images", "class_correct", "reference_class_correct"), (3,))
    comparison = Comparison(
        "models/0/mlp-int8.tflite", "litert", "tflite", "int8", "0" * 64, 0.5, 3,
        figures=Figures(n=3, reference_correct=3, flips=(), **counts, **errors, **classes),
        recorded=Recorded(0, 0.0, None),
    )  # fmt: skip
    part = Part({"name": "golden", "n": 3}, [comparison])
    parity = asdict(DeviceParity([part]))
    parity["parts"][0]["comparisons"][0] |= facts
    return {"event": "done", "parity": parity}


def pieces(folder):
    """The files of a record as a device sends them."""
    return [
        ({"event": "file", "name": path.name, "first": True}, path.read_bytes()) for path in sorted(folder.iterdir())
    ]


def counted(**facts):
    message = found()
    message["parity"]["parts"][0]["comparisons"][0]["figures"] |= facts
    return message


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ({"event": "step", "done": 1, "total": 0, "text": ""}, "1 of 0 steps"),
        ({"event": "step", "done": float("nan"), "total": 1, "text": ""}, "nan of 1 steps"),
        ({"event": "step", "done": 2, "total": 1, "text": ""}, "2 of 1 steps"),
        ({"event": "warning", "text": 5}, "AttributeError"),
        ({"event": "failed", "text": None}, "AttributeError"),
        ({"event": "done"}, "$: expected object, got null"),
        ({"event": "done", "parity": {"parts": []}}, "list index out of range"),
        (found(format=5), "$.parts[0].comparisons[0].format: expected str | null, got int"),
        (found(splendid=True), "$.parts[0].comparisons[0].splendid: unknown field"),
        (found(artifact=None), "$.parts[0].comparisons[0].artifact: expected str, got null"),
        (found(artifact="models/0/other.onnx"), "it speaks of 'models/0/other.onnx', which was not asked for"),
        (counted(max_abs_error="large"), ".figures.max_abs_error: expected float, got str"),
        (counted(max_abs_error=float("inf")), ".figures.max_abs_error: inf is no number"),
        (counted(n=0), "division by zero"),
        ({}, "KeyError('event')"),
    ],
)
def test_a_device_whose_answer_makes_no_sense_leaves_the_others_alone(call_here, scripted, said, why):
    scripted.device("good", *READY, found())
    scripted.device("bad", *READY, said)
    code, out, err = call_here("device", "verify", ONE, "--on", "bad", "--on", "good")
    assert (code, len(err)) == (2, 1)
    ways = (
        "its answer makes no sense (",
        "not an answer that toolkit reads: ",
        "cannot be read as an answer: ",
        "it speaks of ",
    )
    assert err[0].removeprefix("error: bad: ").startswith(ways)
    assert why in err[0]
    assert "verdict: pass" in out.partition("\ngood\n")[2]


def test_what_a_device_says_cannot_steer_the_terminal(call_here, scripted):
    """Neither with escape sequences, also those of one byte of the C1 set, nor with lines that look like another's."""
    evil = "\x1b]0;owned\x07\x9b2J\u202e"
    warning = {"event": "warning", "text": f"{evil}\nerror: all is lost"}
    scripted.device("evil", *READY, warning, found(problem={"check": evil, "text": evil}))
    code, out, err = call_here("device", "verify", ONE, "--on", "evil")
    assert (code, err) == (1, [r"warning: evil: \x1b]0;owned\x07\x9b2J\u202e error: all is lost"])
    assert [character for character in out if not character.isprintable() and character != "\n"] == []
    _, document, _ = call_here("device", "verify", ONE, "--on", "evil", "--json")
    assert document["results"][0]["problem"] == r"\x1b]0;owned\x07\x9b2J\u202e"


@pytest.mark.slow
def test_of_a_device_that_warns_without_end_the_first_are_told_and_the_others_counted(call_here, scripted):
    warning = {"event": "warning", "text": f"{'x' * 10_000} y"}
    scripted.device("loud", *READY, *[warning] * 1025, found())
    code, _, err = call_here("device", "verify", ONE, "--on", "loud")
    assert (code, len(err), err[-1]) == (0, 21, "warning: loud: 1,005 more warnings are left out")
    assert max(map(len, err)) < 2100


def test_a_device_whose_wheels_have_no_known_digests_is_warned_of(call_here, scripted):
    scripted.device("new", {**HELLO, "python": "3.99.1"}, {"ready": False, "missing": []}, {}, *READY[2:], found())
    code, _, err = call_here("device", "verify", ONE, "--on", "new")
    assert (code, err) == (
        0,
        [
            "warning: new: no digests of wheels are known for Python 3.99.1 on aarch64: the tested versions are "
            "installed as its package index gives them",
            "new: making an environment, once (Python 3.99.1 on aarch64)",
        ],
    )


def test_another_file_of_an_index_is_named(call_here, scripted):
    said = "ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE. Otherwise, examine them.\n"
    said += "    numpy==2.4.6 from https://me:secret@host/numpy.whl:\n"
    said += f"        Expected sha256 {'a' * 64}\n             Got        {'b' * 64}\n"
    scripted.device("pi", HELLO, {"ready": False, "missing": []}, {"error": "command", "output": said})
    code, _, err = call_here("device", "verify", ONE, "--on", "pi")
    assert (code, err[-1]) == (
        2,
        "error: pi: the package index gives another file of numpy==2.4.6 than the tested one (SHA-256 "
        f"{'b' * 64}, not {'a' * 64}); nothing was installed",
    )


def test_a_record_from_a_device_cannot_steer_the_terminal(call_here, scripted, tmp_path):
    record = sent(tmp_path / "sent", path="models/0/mlp-int8.tflite")
    record.host = replace(record.host, cpu="Cortex\x1b[2J", throttled=("hot\x9b2J",))
    record.failures = {"models/0/a\x1b.tflite": "\x1b[31mno"}
    record.save()
    scripted.device("evil", *READY, *pieces(record.folder), {"event": "record"}, {"event": "done"})
    _, out, err = call_here("device", "bench", ONE, "--on", "evil")
    assert [c for c in f"{out}{''.join(err)}" if not c.isprintable() and c != "\n"] == []
    assert r"Cortex\x1b[2J, " in out
    (path,) = Path("benchmarks").glob("*/record.json")
    assert json.loads(path.read_text())["host"]["cpu"] == r"Cortex\x1b[2J"


@pytest.mark.parametrize(
    "claim",
    [
        {"machine": "aarch64; rm -rf ~"},
        {"machine": "-x"},
        {"machine": ""},
        {"python": "3.$(id).1"},
        {"python": "3.11\n.2"},
    ],
)
def test_a_command_for_the_user_is_made_of_nothing_that_a_shell_reads(call_here, scripted, claim):
    unreachable = {"error": "command", "output": "Max retries exceeded"}
    scripted.device("evil", HELLO | claim, {"ready": False, "missing": []}, unreachable)
    code, _, err = call_here("device", "verify", ONE, "--on", "evil")
    assert (code, len(err)) == (2, 1)
    assert err[0].startswith("error: evil: its answer makes no sense (Python '3.")


def test_a_device_that_says_it_was_stopped_stops_no_other(call_here, scripted):
    scripted.device("good", *READY, found())
    scripted.device("bad", *READY, {"event": "stopped"})
    code, out, err = call_here("device", "verify", ONE, "--on", "bad", "--on", "good")
    assert (code, err) == (2, ["error: bad: it was stopped there"])
    assert "verdict: pass" in out.partition("\ngood\n")[2]


def test_a_record_that_cannot_be_kept_or_printed_leaves_the_others_alone(call_here, scripted, tmp_path):
    """One names a reason that toolkit does not know, and one a file for which the system has no name."""

    def sends(name, **facts):
        record = sent(tmp_path / name, path="models/0/mlp-int8.tflite", **facts)
        scripted.device(name, *READY, *pieces(record.folder), {"event": "record"}, {"event": "done"})

    sends("good")
    sends("bad", marks=(Mark(0, 0, "full moon"),))
    scripted.device("long", *READY, {"event": "file", "name": f"{'x' * 300}.npz", "first": True})
    code, out, err = call_here("device", "bench", ONE, "--on", "bad", "--on", "good", "--on", "long")
    assert code == 2
    assert err[0].startswith("error: bad: ")
    assert err[0].endswith(" has a mark of no known reason: 'full moon'")
    assert err[-1].startswith("error: long: ")
    assert err[-1].endswith("', which is no part of a record")
    assert "record with the raw samples" in out.partition("\ngood\n")[2]
