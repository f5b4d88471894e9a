"""Devices that say what a test lets them say, whatever they are asked: an ``ssh`` that connects to nothing."""

import json
import shlex

from toolkit.wire import MARK

HELLO = {"python": "3.11.2", "bits": 64, "machine": "aarch64", "venv": True}
# As a device answers that has all it needs, up to the mark of the program that its environment starts.
READY = (HELLO, {"ready": True, "missing": []}, MARK, {"toolkit": "1"})
# The longest that a test may wait for one that says no more.
SECONDS = 120

SSH = """\
#!/bin/sh
while [ "$1" != -- ]; do shift; done
cat {folder}/"$2".stderr >&2
cat {folder}/"$2"
[ -e {folder}/"$2".deaf ] && exec sleep {seconds}
exec timeout {seconds} sh -c 'cat > /dev/null'
"""


class Scripted:
    """An ``ssh`` in a folder, and what each device says."""

    def __init__(self, folder):
        self._folder = folder
        ssh = folder / "ssh"
        ssh.write_text(SSH.format(folder=shlex.quote(str(folder)), seconds=SECONDS))
        ssh.chmod(0o755)

    def device(self, name, *said, stderr=b"", deaf=False):
        """Let a device say messages, and bytes as they are; a message may be a pair with the bytes behind it.

        deaf: whether it reads nothing of what it is told.
        """
        if deaf:
            self._folder.joinpath(f"{name}.deaf").touch()
        self._folder.joinpath(f"{name}.stderr").write_bytes(stderr)
        self._folder.joinpath(name).write_bytes(MARK + b"".join(map(_encoded, said)))
        return name


def _encoded(said):
    if isinstance(said, bytes):
        return said
    message, content = said if isinstance(said, tuple) else (said, b"")
    return json.dumps({**message, "bytes": len(content)}).encode() + b"\n" + content
