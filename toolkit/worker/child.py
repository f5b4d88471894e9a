"""The worker itself: ``python -m toolkit.worker.child TASKS``, questions on stdin, answers on stdout.

TASKS is a module with a dictionary of that name: by the name of a question, a function of what is kept from question to
question, of the bytes behind the question, and of its arguments. It returns the answer and the bytes behind that.
"""

import importlib
import os
import sys
from collections.abc import Callable
from typing import Any

from toolkit.errors import ToolkitError
from toolkit.wire import Channel

# Of the bytes behind a message: tensors of many images.
LONGEST_BYTES = 1 << 31
Task = Callable[..., tuple[dict[str, Any], bytes]]


def main() -> None:
    """Answer until stdin ends."""
    # What a runtime prints must not come between the answers.
    answers = os.dup(1)
    os.dup2(2, 1)
    tasks: dict[str, Task] = importlib.import_module(sys.argv[1]).TASKS
    channel = Channel(sys.stdin.fileno(), answers, longest_bytes=LONGEST_BYTES)
    kept: dict[str, Any] = {}
    while True:
        try:
            question, content = channel.receive()
        except ConnectionError:  # the parent has ended, or has no more questions
            return
        arguments = {name: value for name, value in question.items() if name != "do"}
        try:
            answer = tasks[question["do"]](kept, content, **arguments)
        except ToolkitError as error:
            answer = {"error": str(error)}, b""
        except MemoryError:
            answer = {"error": "the memory does not suffice for it"}, b""
        channel.send(*answer)


if __name__ == "__main__":
    main()
