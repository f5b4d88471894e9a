"""Messages between processes: what a worker or a device that is not what it says sends."""

import os
import threading

from tests.fuzz.target import Target
from toolkit.errors import ToolkitError
from toolkit.text import printable
from toolkit.wire import MARK, Channel

LONGEST_BYTES = 1 << 20


def _prepare(folder):
    path = folder / "messages"
    source, target = os.pipe()
    channel = Channel(source, target)
    os.write(target, b"a login says hello\n" + MARK)
    channel.send({"do": "bench", "paths": ["a", "b"]}, bytes(range(256)))
    channel.send({"done": True})
    path.write_bytes(os.read(source, 1 << 16))
    os.close(source)
    os.close(target)
    return [path]


def _read(folder):
    """Receive until there is no more. ConnectionError is how that is said, and what is no message."""
    source, target = os.pipe()
    content = (folder / "messages").read_bytes()
    writer = threading.Thread(target=_write, args=(target, content))
    writer.start()
    channel = Channel(source, os.open(os.devnull, os.O_WRONLY), longest_bytes=LONGEST_BYTES)
    try:
        channel.skip_to_mark()
        while True:
            channel.receive()
    except ConnectionError as error:
        if str(error) != "the end":
            raise ToolkitError(printable(str(error))) from error
    finally:
        os.close(source)
        os.close(channel._target)
        writer.join()


def _write(target, content):
    try:
        while content:
            content = content[os.write(target, content) :]
    except BrokenPipeError:  # it was refused before its end
        pass
    finally:
        os.close(target)


TARGETS = {"messages": Target(700, _prepare, _read)}
