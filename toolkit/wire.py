"""Messages between processes, here or on a device: a line of JSON each, and as many bytes as it counts.

Also sent to devices as text, before toolkit is there: the standard library alone.
"""

import json
import os
import select
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

# What a device writes before its first message: a login shell may have written something of its own before.
MARK = b"toolkit: here\n"
# Seconds between two messages that only say that the connection is there. After so many seconds without any message a
# device gives it up: a pulled cable does not end a connection by itself.
ALIVE_S, SILENCE_S = 10.0, 45.0
# Seconds between two looks at whether a message is still to be waited for.
LOOK_S = 0.2
# How much of a file travels in one message, so that neither end holds a large file.
PIECE_BYTES = 1 << 20
# Bytes that are read at once: what a pipe holds. Room for more would be asked of the system, and given back, each time.
READ_BYTES = 1 << 16
# The longest line and the most bytes behind it that are taken, and the most that a shell may write before the mark.
LONGEST_BYTES = 1 << 24
NOISE_BYTES = 1 << 20


def pieces(path: Path) -> Iterator[tuple[bytes, bool, bool]]:
    """Yield the content of a file in pieces, each with whether it is the first and the last; of an empty file, one."""
    with path.open("rb") as file:
        content, first, more = file.read(PIECE_BYTES), True, True
        while more:
            following = file.read(PIECE_BYTES)
            more = bool(following)
            yield content, first, not more
            content, first = following, False


class Channel:
    """One end of a conversation over two file descriptors; ConnectionError if it ended or makes no sense.

    patience_s: after which time without a message, or in which it takes nothing of what is sent, the other end counts
    as gone; None waits for ever. look: called again and again while a message is waited for, which ends with what it
    raises; without ``patience_s`` also while nothing is taken. longest_bytes: the most behind a message. clock: in
    seconds.
    """

    def __init__(
        self,
        source: int,
        target: int,
        *,
        patience_s: float | None = None,
        look: Callable[[], None] | None = None,
        longest_bytes: int = LONGEST_BYTES,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._source, self._target = source, target
        self._patience_s, self._look = patience_s, look
        self._longest_bytes = longest_bytes
        self._clock = clock
        self._heard_s = clock()
        self._pending = bytearray()
        # Held while a message is written; who holds it can interrupt the writer between two messages.
        self.writing = threading.Lock()

    def send(self, message: dict[str, Any], content: bytes = b"") -> None:
        """Send a message; any thread may."""
        line = json.dumps({**message, "bytes": len(content)}).encode() + b"\n"
        with self.writing:
            # What is small goes in one piece, which wakes the other end once.
            for part in (line + content,) if len(content) <= PIECE_BYTES else (line, content):
                rest = memoryview(part)
                while rest:
                    rest = rest[os.write(self._target, rest[: self._room(len(rest))]) :]

    def receive(self) -> tuple[dict[str, Any], bytes]:
        """Wait for a message and return it with the bytes behind it."""
        line = self._until(b"\n", most=LONGEST_BYTES)
        try:
            message = json.loads(line)
            count = int(message.pop("bytes"))
        except (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError) as error:
            raise ConnectionError(f"not a message: {line[:80]!r}") from error
        if not 0 <= count <= self._longest_bytes:
            raise ConnectionError(f"a message of {count} bytes")
        while len(self._pending) < count:
            self._read()
        content = bytes(self._pending[:count])
        del self._pending[:count]
        return message, content

    def skip_to_mark(self) -> None:
        """Pass over what comes before MARK."""
        self._until(MARK, most=NOISE_BYTES)

    def waiting(self, seconds: float) -> bool:
        """Wait for at most ``seconds``, and say whether there is something to receive."""
        if self._pending or select.select([self._source], [], [], seconds)[0]:
            return True
        if self._patience_s is not None and self._clock() - self._heard_s > self._patience_s:
            raise ConnectionError("silence")
        return False

    def _until(self, end: bytes, *, most: int) -> bytes:
        searched = 0
        while (at := self._pending.find(end, max(0, searched - len(end)))) < 0:
            searched = len(self._pending)
            if searched > most:
                raise ConnectionError(f"{most} bytes without an end")
            self._read()
        before = bytes(self._pending[:at])
        del self._pending[: at + len(end)]
        return before

    def _read(self) -> None:
        self._wait()
        content = os.read(self._source, READ_BYTES)
        if not content:
            raise ConnectionError("the end")
        self._heard_s = self._clock()
        self._pending += content

    def _room(self, wanted: int) -> int:
        """Wait until the other end takes something; return how many of ``wanted`` bytes can be written at once."""
        if self._patience_s is not None:
            if not select.select([], [self._target], [], self._patience_s)[1]:
                raise ConnectionError("nothing is taken")
        elif self._look is not None:
            while not select.select([], [self._target], [], LOOK_S)[1]:
                self._look()
        else:
            return wanted
        return select.PIPE_BUF

    def _wait(self) -> None:
        if self._look is None:  # nobody to wake up for: what is measured meanwhile is not disturbed
            if not select.select([self._source], [], [], self._patience_s)[0]:
                raise ConnectionError("silence")
            return
        self._look()
        while not select.select([self._source], [], [], LOOK_S)[0]:
            self._look()
