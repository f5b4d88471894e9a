"""One call of the command line: what it is told besides its verb, and how it ends if it is interrupted."""

from dataclasses import dataclass

# Exit code of a command that Ctrl-C ended: 128 + SIGINT, as shells have it.
INTERRUPTED = 130


@dataclass
class Invocation:
    """What one call of the command line is told besides its verb. debug: whether an error shows its traceback."""

    debug: bool = False
