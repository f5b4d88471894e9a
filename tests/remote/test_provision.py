"""What runs on a device before toolkit is there, as a process of this machine with a cache of its own."""

import hashlib
import io
import os
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

from toolkit.wire import Channel

DIGEST = "0" * 64
EMPTY = hashlib.sha256().hexdigest()
ROOT = Path(__file__).parents[2]
PROGRAM = f"import sys; sys.path.insert(0, {str(ROOT)!r}); from toolkit.remote import provision; provision.main()"


class Device:
    """A device whose cache is ``folder``; a context manager that ends it."""

    def __init__(self, cache):
        self.folder = cache / "edge-model-toolkit" / "remote"
        self._process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM],
            # An environment has a toolkit of its own, not that of the tests.
            env={**os.environ, "XDG_CACHE_HOME": str(cache), "PYTHONPATH": ""},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        self.channel = Channel(self._process.stdout.fileno(), self._process.stdin.fileno(), patience_s=120)

    def __enter__(self):
        self.channel.skip_to_mark()
        self.channel.receive()
        return self

    def __exit__(self, *_):
        self._process.communicate()

    def ask(self, message, content=b""):
        self.channel.send(message, content)
        return self.channel.receive()[0]

    def offer(self):
        return self.ask({"do": "offer", "key": "key", "digests": [DIGEST]})

    def piece(self, content, *, digest=DIGEST, **which):
        return self.ask({"do": "piece", "digest": digest, **which}, content)

    def start(self, digest=EMPTY):
        """Let it become the agent beside a file, and return what comes first behind the mark."""
        assert self.piece(b"", digest=EMPTY, first=True, last=True) == {}
        self.channel.send({"do": "start", "key": "key", "files": {"models/0/a.onnx": digest}})
        self.channel.skip_to_mark()
        return self.channel.receive()[0]

    def environment(self):
        """Make one of this machine's Python with a toolkit of its own, and return that and what says it is ready."""
        folder = self.folder / "environments" / "key"
        venv.create(folder, with_pip=False)
        toolkit = folder / "lib" / f"python3.{sys.version_info.minor}" / "site-packages" / "toolkit"
        (toolkit / "remote").mkdir(parents=True)
        (toolkit / "__init__.py").touch()
        ready = folder / "ready"
        ready.touch()
        return toolkit, ready


def test_a_file_that_the_disk_has_no_room_for_leaves_nothing(tmp_path):
    with Device(tmp_path) as device:
        device.offer()
        partial = device.folder / "blobs" / f"{DIGEST}.partial"
        partial.symlink_to("/dev/full")
        assert device.piece(b"x" * 10, first=True, last=False)["error"] == "disk"
        assert not os.path.lexists(partial)


def test_a_file_that_arrived_otherwise_than_it_was_sent_leaves_nothing(tmp_path):
    with Device(tmp_path) as device:
        device.offer()
        answer = device.piece(b"other", first=True, last=True)
        assert (answer["error"], "a file did not arrive as it was sent" in answer["output"]) == ("system", True)
        assert list((device.folder / "blobs").iterdir()) == []


def test_what_a_lost_connection_left_of_a_file_is_cleared_away(tmp_path):
    with Device(tmp_path) as device:
        device.offer()
        assert device.piece(b"half", first=True, last=False) == {}
        assert len(list((device.folder / "blobs").iterdir())) == 1
    with Device(tmp_path) as device:
        assert device.offer()["missing"] == [DIGEST]
        assert list((device.folder / "blobs").iterdir()) == []


@pytest.mark.parametrize("agent", [None, b"import numpy.of.another.age", b"\0" * 512])
def test_an_environment_in_which_the_agent_does_not_start_is_no_longer_ready(tmp_path, agent):
    """Modules full of zero bytes are what a power cut leaves on an SD card."""
    with Device(tmp_path) as device:
        device.offer()
        toolkit, ready = device.environment()
        if agent is not None:
            (toolkit / "remote" / "agent.py").write_bytes(agent)
        assert device.offer()["ready"]
        with pytest.raises(ConnectionError):
            device.start()
    assert not ready.exists()


def install(device, content):
    """Let it make an environment of a wheel of toolkit and a pip, both copied before."""
    packages = {name: hashlib.sha256(one).hexdigest() for name, one in content.items()}
    for name, digest in packages.items():
        assert device.piece(content[name], digest=digest, first=True, last=True) == {}
    blobs = {name: device.folder / "blobs" / digest for name, digest in packages.items()}
    question = {"do": "install", "key": "key", "wheel": "toolkit.whl", "extra": "edge", "packages": packages}
    return blobs, {**question, "pinned": ["base==1 --hash=sha256:0"], "hashed": True, "offline": True}


# Says what it was called with, and what is in the file that it is to read.
PIP = {
    "pip/__main__.py": """\
import os, sys
(listed,) = (argument for argument in sys.argv if argument.endswith("pinned.txt"))
sys.exit(str([sys.argv, {k: v for k, v in os.environ.items() if "PIP_" in k}, open(listed).read()]))
"""
}


@pytest.fixture
def content():
    made = {}
    for name, members in (("toolkit.whl", {}), ("pip-1-py3-none-any.whl", PIP)):
        with zipfile.ZipFile(buffer := io.BytesIO(), "w") as archive:
            for member, text in members.items():
                archive.writestr(member, text)
        made[name] = buffer.getvalue()
    return made


def test_of_what_was_taken_along_nothing_else_is_installed(tmp_path, monkeypatch, content):
    """Whatever the device's pip is configured to ask."""
    monkeypatch.setenv("PIP_FIND_LINKS", "/elsewhere")
    with Device(tmp_path) as device:
        device.offer()
        _, question = install(device, content)
        answer = device.ask(question)
    assert answer["error"] == "command"
    assert "'--no-index', '--find-links'" in answer["output"]
    assert "'PIP_CONFIG_FILE': '/dev/null'" in answer["output"]
    assert "PIP_FIND_LINKS" not in answer["output"]


def test_where_digests_are_known_pip_takes_no_other_file(tmp_path, content):
    with Device(tmp_path) as device:
        device.offer()
        _, question = install(device, content)
        output = device.ask(question)["output"]
    assert "'--require-hashes', '--no-deps', '--only-binary=:all:', '--requirement'" in output
    own = f"file://{device.folder}/session/wheels/toolkit.whl --hash=sha256:{question['packages']['toolkit.whl']}"
    assert rf"{own}\nbase==1 --hash=sha256:0" in output


def test_where_they_are_not_known_pip_takes_the_tested_versions(tmp_path, content):
    with Device(tmp_path) as device:
        device.offer()
        _, question = install(device, content)
        output = device.ask({**question, "hashed": False, "pinned": ["base==1"]})["output"]
    assert "'--constraint'" in output
    assert f"'{device.folder}/session/wheels/toolkit.whl[edge]'" in output
    assert ("'base==1'" in output, "--require-hashes" in output) == (True, False)


def test_folders_that_others_could_read_are_closed_to_them(tmp_path):
    with Device(tmp_path) as device:
        folders = [device.folder, device.folder / "blobs", device.folder / "environments"]
        for folder in folders:
            folder.mkdir(parents=True)
            folder.chmod(0o775)
        device.offer()
    assert [oct(folder.stat().st_mode & 0o777) for folder in folders] == ["0o700"] * 3


def test_a_wheel_that_is_no_longer_as_it_was_copied_is_not_installed(tmp_path, content):
    with Device(tmp_path) as device:
        device.offer()
        blobs, question = install(device, content)
        blob = blobs["pip-1-py3-none-any.whl"]
        blob.write_bytes(bytes(blob.stat().st_size))
        answer = device.ask(question)
        assert answer["output"] == f"{blob}: it is no longer as it was copied; run the same command again"
        assert not blob.exists()
        assert list((device.folder / "environments").iterdir()) == []


def test_what_is_made_there_is_nobody_elses(tmp_path, content):
    before = os.umask(0)
    try:
        with Device(tmp_path / "cache") as device:
            device.offer()
            blobs, _ = install(device, content)
    finally:
        os.umask(before)
    made = [*blobs.values(), *(path for blob in blobs.values() for path in blob.parents if path != tmp_path)]
    inside = [path for path in made if path.is_relative_to(tmp_path)]
    assert tmp_path / "cache" in inside
    assert [path for path in inside if path.stat().st_mode & 0o077] == []


def test_an_environment_in_which_the_agent_starts_stays_ready(tmp_path):
    with Device(tmp_path) as device:
        device.offer()
        toolkit, ready = device.environment()
        content = """\
def main():
    import os
    os.write(1, b'toolkit: here\\n{"bytes": 0, "fine": true}\\n')
    raise ValueError("while it works")
"""
        (toolkit / "remote" / "agent.py").write_text(content)
        assert device.start() == {"fine": True}
    assert ready.exists()


def test_a_python_that_is_gone_is_told_and_the_environment_is_no_longer_ready(tmp_path):
    with Device(tmp_path) as device:
        device.offer()
        _, ready = device.environment()
        python = ready.with_name("bin") / "python"
        python.unlink()
        answer = device.start()
    assert (answer["error"], answer["output"]) == ("system", f"{python}: No such file or directory")
    assert not ready.exists()


def test_files_that_cannot_be_laid_out_are_told_and_the_environment_stays_ready(tmp_path):
    with Device(tmp_path) as device:
        device.offer()
        _, ready = device.environment()
        answer = device.start(DIGEST)
    assert (answer["error"], "No such file" in answer["output"]) == ("system", True)
    assert ready.exists()
    assert not (device.folder / "session").exists()
