"""Messages between processes: what a worker or a device that is not what it says sends."""

import json
import os
import threading
from pathlib import Path

from tests.fuzz import changes, made
from tests.fuzz.target import Target
from toolkit import api
from toolkit.errors import ToolkitError
from toolkit.remote.answer import pack, unpack
from toolkit.remote.cargo import Cargo
from toolkit.remote.home import Home
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


THERE = "models/0"
CARGO = Cargo({}, [f"{THERE}/{name}" for name in made.ARTIFACTS], {THERE: Path("here")})


def _answer(folder):
    """Write what a device sends of a verification."""
    made.artifacts(folder)
    told = pack(api.verify(folder, golden=True))
    for one in (comparison for part in told["parts"] for comparison in part["comparisons"]):
        one["artifact"] = f"{THERE}/{Path(one['artifact']).name}"
    (folder / "answer").write_text(json.dumps(told))
    return [folder / "answer"]


def _unpack(folder):
    try:
        told = json.loads((folder / "answer").read_bytes())
    except (ValueError, RecursionError) as error:  # which the channel refuses
        raise ToolkitError("no message") from error
    unpack(told, "pi", CARGO)


def _sent(folder):
    """Write the files of a record that a device sends."""
    sent = folder / "sent"
    sent.mkdir()
    made.benchmark(sent, f"{THERE}/{made.ARTIFACTS[0]}")
    return sorted(sent.iterdir())


def _bring_home(folder):
    with Home(folder / "benchmarks", CARGO, None) as home:
        for path in sorted((folder / "sent").iterdir()):
            home.take({"name": path.name, "first": True}, path.read_bytes())
        home.keep()


TARGETS = {
    "messages": Target(700, _prepare, _read),
    "answer of a device": Target(300, _answer, _unpack, changes.as_json),
    "record of a device": Target(300, _sent, _bring_home, changes.by_content),
}
