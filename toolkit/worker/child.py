"""The worker itself: ``python -m toolkit.worker.child TASKS [FILE …]``, questions on stdin, answers on stdout.

TASKS is a module with a dictionary of that name: by the name of a question, a function of what is kept from question to
question, of the bytes behind the question, and of its arguments. It returns the answer and the bytes behind that.
FILE: Python files of the user's own that models may be made with.
"""

import importlib
import os
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from toolkit import extras
from toolkit.errors import ArtifactError, ToolkitError
from toolkit.files.memory import check_memory
from toolkit.wire import Channel

# Of the bytes behind a message: tensors of many images.
LONGEST_BYTES = 1 << 31
# An answer from here on is looked at before it is sent: the parent comes to hold it this often.
LARGE_BYTES, COPIES = 1 << 20, 3
# The field of a question that says after how many seconds the parent ends this process, and how many more it waits for
# that: then the parent has died, and nobody else ends what has no end.
WITHIN, ALONE_S = "within", 10.0
# What stands before the files if code inside of model files may run as well.
UNSAFE_LAMBDA = "--unsafe-lambda"
Task = Callable[..., tuple[dict[str, Any], bytes]]


def main() -> None:
    """Answer until stdin ends."""
    extras.is_program = True
    # What a runtime prints must not come between the answers.
    answers = os.dup(1)
    os.dup2(2, 1)
    tasks: dict[str, Task] = importlib.import_module(sys.argv[1]).TASKS
    channel = Channel(sys.stdin.fileno(), answers, longest_bytes=LONGEST_BYTES)
    with _allowing(sys.argv[2:]):
        _answer(channel, tasks)


def arguments(files: Sequence[Path], *, unsafe_lambda: bool) -> list[str]:
    """Return the arguments of a worker that say what model files may run in it."""
    return [*([UNSAFE_LAMBDA] if unsafe_lambda else []), *(str(file.absolute()) for file in files)]


@contextmanager
def _allowing(given: Sequence[str]) -> Iterator[None]:
    """Let model files run what the arguments of this process say."""
    if not given:
        yield
        return
    from toolkit.runtimes.keras.loading import allowing

    with allowing([Path(file) for file in given if file != UNSAFE_LAMBDA], unsafe_lambda=UNSAFE_LAMBDA in given):
        yield


def _answer(channel: Channel, tasks: dict[str, Task]) -> None:
    """Carry out what is asked for, until nothing more is."""
    kept: dict[str, Any] = {}
    while True:
        try:
            question, content = channel.receive()
        except ConnectionError:  # the parent has ended, or has no more questions
            return
        task = tasks[question.pop("do")]
        signal.setitimer(signal.ITIMER_REAL, question.pop(WITHIN) + ALONE_S)
        try:
            answer = task(kept, content, **question)
            if (size := len(answer[1])) > LARGE_BYTES:  # what is measured is not disturbed by a look at the system
                check_memory(COPIES * size, what="its answer", error=ArtifactError)
        except ToolkitError as error:
            answer = {"error": str(error)}, b""
        except MemoryError:
            answer = {"error": "the memory does not suffice for it"}, b""
        signal.setitimer(signal.ITIMER_REAL, 0)
        channel.send(*answer)


if __name__ == "__main__":
    main()
