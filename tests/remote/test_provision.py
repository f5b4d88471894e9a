"""What runs on a device before toolkit is there, as a process of this machine with a cache of its own."""

import os
import subprocess
import sys

from toolkit.remote.wire import Channel

DIGEST = "0" * 64
PROGRAM = "from toolkit.remote import provision; provision.main()"


class Device:
    """A device whose cache is ``folder``; a context manager that ends it."""

    def __init__(self, cache):
        self.folder = cache / "edge-model-toolkit" / "remote"
        self._process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM],
            env={**os.environ, "XDG_CACHE_HOME": str(cache)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        self.channel = Channel(self._process.stdout.fileno(), self._process.stdin.fileno(), patience_s=20)

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

    def piece(self, content, **which):
        return self.ask({"do": "piece", "digest": DIGEST, **which}, content)


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
