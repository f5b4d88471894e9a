"""Names that steer terminals, terminals without µ, and names that no encoding has: the verbs as they are called."""

import io
import json
import os
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from tests.bench.test_record import record_of  # noqa: F401 — a fixture
from toolkit import manifest
from toolkit.cli import VERBS, call

EVIL = "a\x1b]0;x\x07\u202eb$c$"
ASCII = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONIOENCODING": "ascii"}
NOT_UTF_8 = os.fsdecode(b"q\xff\xfe")
OPTIONS = {
    "train": ("--data",),
    "export": ("--output", ""),
    "verify": ("--data", "--flips", ""),
    "localize": ("--picture", ""),
    "diagnose": ("",),
    "selftest": ("--data", ""),
    "bench": ("--output", ""),
    "device": ("bench", "verify"),
    "certify": ("--output", ""),
    "compare": ("",),
    "record": ("check", "compare", "plot"),
    "run": ("--name",),
    "predict": ("--model", ""),
    "serve": ("--host", ""),
    "report": ("--record", "--data", "--output", ""),
    "show": ("--svg", ""),
    "study": ("--output", "--data"),
    "report-study": ("--output", "--name"),
    "search": ("--data", "--show", "--against"),
    "compress": ("--data", "--name", ""),
    "bundle": ("--output", ""),
    "check-bundle": ("",),
    "wheels": ("",),
    "data": ("",),
    "doctor": ("",),
}


@pytest.fixture
def evil(exported, tmp_path):
    """An export whose classes are named to do harm, and an image in such a folder."""
    found = manifest.read(exported)
    from dataclasses import replace

    replace(found, data=replace(found.data, classes=(EVIL, f"{EVIL}2", f"{EVIL}3"))).write()
    image = tmp_path / EVIL.replace("/", "") / "one.png"
    image.parent.mkdir()
    Image.fromarray(np.eye(8, dtype=np.uint8) * 255).save(image)
    return exported, image


def steering(text):
    return [c for c in text if not c.isprintable() and c != "\n"]


@pytest.mark.slow
def test_names_of_classes_files_and_folders_reach_no_terminal_raw(evil, here, capfd):
    folder, image = evil
    artifact = folder / f"{EVIL}.tflite"
    artifact.write_bytes((folder / "cnn-int8.tflite").read_bytes())
    (folder / "cut.onnx").write_bytes(b"cut")
    for arguments in (
        ["predict", image, "--model", folder / "cnn-int8.tflite"],
        ["predict", image.with_name("none.png"), "--model", folder / "cnn-int8.tflite"],
        ["verify", "--golden", folder],
        ["verify", image.parent],
        ["bench", artifact, folder / "cut.onnx", "--seconds", "0.05", "--output", image.parent],
        ["record", "check", image.parent],
        ["localize", artifact],
        ["data", image.parent],
        ["train", "--data", "none", "--name", EVIL],
        ["export", EVIL],
        ["bundle", artifact],
        [EVIL],
        ["verify", f"--{EVIL}"],
    ):
        call([str(argument) for argument in arguments])
        out, err = capfd.readouterr()
        assert steering(out + err) == [], arguments
        assert "Traceback" not in err


def test_a_document_holds_names_escaped(evil, capfd):
    folder, image = evil
    assert call(["predict", str(image), "--model", str(folder / "cnn-int8.tflite"), "--json"]) == 0
    out, _ = capfd.readouterr()
    assert steering(out) == []
    assert json.loads(out)["results"][0]["image"] == str(image)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "codes"),
    [
        (("data", "sample"), (0,)),
        (("verify", "--golden", "EXPORTED"), (0,)),
        (("bench", "EXPORTED/cnn-int8.tflite", "--seconds", "0.05", "--processes", "1"), (0,)),
        (("bench", "EXPORTED/cnn-int8.tflite", "--seconds", "0.05", "--processes", "1", "--json"), (0,)),
        (("predict", "none.png", "--model", "EXPORTED/cnn-int8.tflite"), (2,)),
        (("bundle", "EXPORTED/cnn-int8.tflite"), (0,)),
        (("report-study", "--output", "none"), (2,)),
    ],
)
def test_an_ascii_terminal_ends_no_verb(arguments, codes, exported_once, here, monkeypatch):
    out, err = io.BytesIO(), io.BytesIO()
    monkeypatch.setattr("sys.stdout", io.TextIOWrapper(out, encoding="ascii"))
    monkeypatch.setattr("sys.stderr", io.TextIOWrapper(err, encoding="ascii"))
    code = call([argument.replace("EXPORTED", str(exported_once)) for argument in arguments])
    sys.stdout.flush()
    sys.stderr.flush()
    assert code in codes, err.getvalue()
    assert b"Unicode" not in err.getvalue()
    assert (out.getvalue() + err.getvalue()).isascii()
    if "--json" in arguments:
        json.loads(out.getvalue())


@pytest.mark.parametrize("verb", ["", *VERBS])
def test_the_help_is_for_every_terminal(verb, monkeypatch):
    """Typer writes UTF-8 to a terminal that says ASCII."""
    out = io.BytesIO()
    monkeypatch.setattr("sys.stdout", io.TextIOWrapper(out, encoding="ascii"))
    assert call([*([verb] if verb else []), "--help"]) == 0
    sys.stdout.flush()
    assert b"Usage: toolkit" in out.getvalue()
    assert out.getvalue().isascii()


@pytest.mark.slow
@pytest.mark.parametrize("arguments", [("doctor",), ("data", "sample"), ("predict", "größe.png")])
def test_an_ascii_environment_ends_no_verb(arguments, here):
    command = [sys.executable, "-m", "toolkit", *arguments]
    done = subprocess.run(command, env={**os.environ, **ASCII}, capture_output=True, check=False)
    said = done.stderr.decode("ascii")
    assert "Traceback" not in said
    assert "unexpected" not in said
    if arguments[0] == "predict":
        assert done.returncode == 2
        assert said.startswith("error: gr??e.png: the encoding of this environment")
        assert "set LC_ALL=C.UTF-8 or PYTHONUTF8=1" in said
    else:
        assert done.returncode == 0, said


@pytest.mark.parametrize(("verb", "option"), [(verb, option) for verb in VERBS for option in OPTIONS[verb]])
@pytest.mark.parametrize("json_output", [False, True])
def test_a_name_that_is_not_utf_8_is_refused_in_a_line(verb, option, json_output, capfd):
    arguments = [verb, *([option] if option else []), NOT_UTF_8, *(["--json"] if json_output else [])]
    assert call(arguments) == 2
    assert capfd.readouterr() == ("", "error: q\\xff\\xfe: not a name in UTF-8; rename it\n")


@pytest.mark.slow
def test_files_inside_whose_names_are_not_utf_8_end_nothing(exported, tmp_path, here, capfd):
    """A class folder, an image in it, an artifact, and the folder that one stands in."""
    classes = tmp_path / "classes"
    for number, name in enumerate((NOT_UTF_8, "b", "c")):
        (classes / name).mkdir(parents=True)
        for image in range(20):
            pixels = np.full((8, 8), 20 * number + image, np.uint8)
            Image.fromarray(pixels).save(classes / name / f"{NOT_UTF_8}{image}.png")
    assert call(["data", str(classes), "--json"]) == 0
    out, _ = capfd.readouterr()
    assert json.loads(out.encode())["results"][0]["classes"] == ["b", "c", r"q\xff\xfe"]
    (exported / f"{NOT_UTF_8}.tflite").write_bytes((exported / "cnn-int8.tflite").read_bytes())
    (here / NOT_UTF_8).mkdir()
    os.chdir(here / NOT_UTF_8)
    assert call(["bench", str(exported), "--seconds", "0.02", "--processes", "1"]) in (0, 2)
    out, err = capfd.readouterr()
    assert "Traceback" not in err
    assert "unexpected" not in err
    assert "cnn-int8.tflite" in out
    assert steering(out + err) == []
