"""Messages over two pipes."""

import os

import pytest

from toolkit import wire
from toolkit.wire import MARK, Channel

PATIENCE_S = 0.125


@pytest.fixture
def clock():
    """What the time is, first in the list."""
    return [1000.0]


@pytest.fixture
def pipe(clock):
    """A channel that hears what is written to the second, a file descriptor."""
    source, target = os.pipe()
    yield Channel(source, target, patience_s=PATIENCE_S, clock=lambda: clock[0]), target
    for descriptor in (source, target):
        try:
            os.close(descriptor)
        except OSError:
            continue


def test_messages_come_whole_with_their_bytes(pipe):
    channel, _ = pipe
    channel.send({"do": "one"}, b"\n{}\n\0")
    channel.send({"do": "two", "text": "ü\n"})
    assert channel.receive() == ({"do": "one"}, b"\n{}\n\0")
    assert channel.receive() == ({"do": "two", "text": "ü\n"}, b"")
    assert not channel.waiting(0)


def test_what_a_shell_writes_before_the_mark_is_passed_over(pipe):
    channel, target = pipe
    os.write(target, b"Welcome!\ntoolkit: \n" + MARK)
    channel.send({"do": "one"})
    channel.skip_to_mark()
    assert channel.receive()[0] == {"do": "one"}


@pytest.mark.parametrize("line", [b"no json\n", b"[]\n", b"{}\n", b'{"bytes": -1}\n', b'{"bytes": 1e30}\n', b"\xff\n"])
def test_what_is_no_message_ends_the_connection(pipe, line):
    channel, target = pipe
    os.write(target, line)
    with pytest.raises(ConnectionError):
        channel.receive()


def test_the_end_of_the_other_side_is_noticed_in_the_middle_of_a_message(pipe):
    channel, target = pipe
    os.write(target, b'{"bytes": 10}\nabc')
    os.close(target)
    with pytest.raises(ConnectionError, match="the end"):
        channel.receive()


def test_a_silent_connection_counts_as_ended(pipe, clock):
    """A cable that was pulled ends no connection by itself."""
    channel, _ = pipe
    with pytest.raises(ConnectionError, match="silence"):
        channel.receive()
    clock[0] += PATIENCE_S
    assert not channel.waiting(0)
    clock[0] += PATIENCE_S
    with pytest.raises(ConnectionError, match="silence"):
        channel.waiting(0)


def test_what_was_heard_ends_the_silence(pipe, clock):
    channel, _ = pipe
    clock[0] += PATIENCE_S
    channel.send({"do": "alive"})
    assert channel.receive()[0] == {"do": "alive"}
    clock[0] += PATIENCE_S
    assert not channel.waiting(0)


@pytest.mark.parametrize(
    ("content", "sent"),
    [
        (b"", [(b"", True, True)]),
        (b"abcd", [(b"abcd", True, True)]),
        (b"abcdefghi", [(b"abcd", True, False), (b"efgh", False, False), (b"i", False, True)]),
    ],
)
def test_a_file_is_sent_in_pieces_of_which_the_first_and_the_last_are_told(tmp_path, monkeypatch, content, sent):
    monkeypatch.setattr(wire, "PIECE_BYTES", 4)
    (tmp_path / "file").write_bytes(content)
    assert list(wire.pieces(tmp_path / "file")) == sent
