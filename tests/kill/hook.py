"""Count what this process writes, and end it by SIGKILL just before one of its writes.

Python's audit events tell of each file that is opened for writing, renamed, removed, and so on; fsync has no such event
and is wrapped. What native code writes by itself raises none: kills at random moments meet that.
"""

import os
import signal
import sys
from typing import Any

CHANGES = {"os.rename", "os.remove", "os.rmdir", "os.mkdir", "os.truncate", "os.link", "os.symlink", "fcntl.flock"}
FOR_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC
# The number of the write at which a process that a verb has started kills both.
VARIABLE = "KILL_WORKER_AT"


class Counter:
    """The writes so far. at: the number of the one that is not made, None where all are."""

    def __init__(self, at: int | None, *, parent: bool = False) -> None:
        """Begin to count, which cannot be ended. parent: whether its parent is killed too, just before."""
        self.count, self._at, self._parent = 0, at, parent
        sys.addaudithook(self._hear)
        real = os.fsync

        def fsync(descriptor: int) -> None:
            self._note()
            real(descriptor)

        os.fsync = fsync  # type: ignore[assignment]

    def _hear(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event in CHANGES or (event == "open" and _is_for_writing(*arguments)):
            self._note()

    def _note(self) -> None:
        self.count += 1
        if self.count == self._at:
            if self._parent:
                os.kill(os.getppid(), signal.SIGKILL)
            os.kill(os.getpid(), signal.SIGKILL)


def _is_for_writing(path: Any, _: str | None, flags: int) -> bool:
    return bool(flags & FOR_WRITING) and not isinstance(path, int) and not os.fsdecode(path).startswith("/dev/")
