import os
import re
import socket

import pytest

from toolkit import files
from toolkit.cli import call
from toolkit.errors import ArtifactError, DataError


def make_socket(path):
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(str(path))


SPECIAL = {
    "a pipe": os.mkfifo,
    "a folder": os.mkdir,
    "a socket": make_socket,
    "an empty file": lambda path: path.touch(),
}


@pytest.mark.parametrize("kind", SPECIAL)
def test_what_is_no_file_is_refused_before_it_is_opened(tmp_path, monkeypatch, kind):
    monkeypatch.chdir(tmp_path)  # the name of a socket is short
    path = tmp_path / "x"
    SPECIAL[kind](path.relative_to(tmp_path))
    monkeypatch.setattr(os, "open", pytest.fail)
    with pytest.raises(DataError, match=re.escape(f"{path}: {kind}")), files.opened(path, error=DataError):
        pass


def test_a_device_file_is_refused(tmp_path):
    (tmp_path / "endless").symlink_to("/dev/zero")
    with pytest.raises(ArtifactError, match="endless: a device; give a file"):
        files.read_bytes(tmp_path / "endless", most=10)


def test_what_the_system_makes_up_is_not_read(tmp_path):
    """/proc/kmsg, which waits for ever, cannot be read by everyone; both have a size of 0."""
    (tmp_path / "x").symlink_to("/proc/self/status")
    with pytest.raises(ArtifactError, match="x: an empty file"):
        files.read_bytes(tmp_path / "x", most=10_000)


def test_a_pipe_that_takes_the_place_of_a_file_is_not_waited_for(tmp_path, monkeypatch):
    os.mkfifo(tmp_path / "x")
    monkeypatch.setattr("toolkit.files.regular.require_file", lambda path, **_: 1)
    with pytest.raises(ArtifactError, match="x: no file"), files.opened(tmp_path / "x"):
        pass


def test_a_pointer_of_git_lfs_is_said_to_be_one(tmp_path):
    (tmp_path / "net.onnx").write_text("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n")
    with pytest.raises(ArtifactError, match=r"net\.onnx: a pointer of Git LFS, .* 'git lfs pull' fetches that"):
        files.require_file(tmp_path / "net.onnx")


def test_more_than_is_allowed_is_not_read(tmp_path):
    (tmp_path / "x").write_bytes(bytes(11))
    assert files.read_bytes(tmp_path / "x", most=11) == bytes(11)
    with pytest.raises(ArtifactError, match="x: has 11 bytes; allowed: 10"):
        files.read_bytes(tmp_path / "x", most=10)


def test_a_missing_file_and_a_name_that_none_can_have_are_said(tmp_path):
    with pytest.raises(ArtifactError, match="x: write it first"):
        files.read_bytes(tmp_path / "x", most=1, missing="write it first")
    with pytest.raises(ArtifactError, match="cannot be read"):
        files.require_file(tmp_path / "\0")


def test_the_sha256_of_a_file_is_that_of_its_content(tmp_path):
    (tmp_path / "f").write_bytes(b"abc")
    assert files.sha256(tmp_path / "f") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    (tmp_path / "empty").touch()
    assert files.sha256(tmp_path / "empty").startswith("e3b0c44298fc1c149afbf4c8996fb924")
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(ArtifactError, match="pipe: a pipe"):
        files.sha256(tmp_path / "pipe")


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "/etc/passwd", "..\\x", "a\nb", "\x1b[31m", "x" * 256])
def test_what_is_no_name_of_a_file_beside_is_refused(name):
    with pytest.raises(ValueError, match="file name"):
        files.FileName(name)


def test_names_of_every_language_are_names():
    assert files.FileName("modèle-1 (最後).tflite") == "modèle-1 (最後).tflite"


@pytest.mark.parametrize(
    "command",
    [
        ["check-bundle", "pipe.zip"],
        ["record", "check", "pipe.zip"],
        ["predict", "pipe.png", "--model", "pipe.tflite"],
        ["bench", "pipe.tflite"],
        ["record", "check", "run"],
        ["record", "plot", "run", "plot.svg"],
        ["record", "compare", "run", "run"],
        ["localize", "pipe.tflite"],
        ["export", "pipe.keras"],
        ["data", "pipe.npz"],
        ["doctor", "pipe.tflite"],
        ["verify", "run"],
    ],
)
def test_no_verb_waits_for_a_pipe(tmp_path, monkeypatch, capsys, command):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "run").mkdir()
    for name in (
        "pipe.zip",
        "pipe.png",
        "pipe.tflite",
        "pipe.keras",
        "pipe.npz",
        "run/record.json",
        "run/manifest.json",
    ):
        os.mkfifo(name)
    assert call(command) == 2
    error = capsys.readouterr().err.splitlines()
    assert [line.startswith("error: ") for line in error] == [True]
    assert "unexpected" not in error[0]
