"""One call of the command line: what it is told besides its verb."""

from dataclasses import dataclass


@dataclass
class Invocation:
    """What one call of the command line is told besides its verb. debug: whether an error shows its traceback."""

    debug: bool = False
