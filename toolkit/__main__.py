"""The program, as ``toolkit`` and as ``python -m toolkit``.

Nothing else of toolkit is imported before signals are handled: until then Python answers them, with a traceback.
"""

import signal
import sys
import time
from types import FrameType

# What asks a process to end: Ctrl-C, ``kill`` or the system that goes down, and the end of its terminal.
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
# Seconds in which the next signal is still the same request: ``timeout`` sends it twice, and so do shells whose
# terminal is closed. A second one would interrupt what is being saved and removed.
SAME_S = 1.0


class _EndRequest:
    """Makes each of the signals what Ctrl-C is to a verb, a KeyboardInterrupt, and knows the exit code."""

    def __init__(self) -> None:
        self._number, self._came_s = signal.SIGINT, -SAME_S

    @property
    def exit_code(self) -> int:
        """Of a process that ended by it, as shells have it: 130 after Ctrl-C."""
        return 128 + self._number

    def __call__(self, number: int, frame: FrameType | None) -> None:
        now_s = time.monotonic()
        if now_s - self._came_s >= SAME_S:
            self._number, self._came_s = signal.Signals(number), now_s
            raise KeyboardInterrupt


def main() -> None:
    """Run the command line of this process."""
    request = _EndRequest()
    try:
        for number in SIGNALS:
            if signal.getsignal(number) != signal.SIG_IGN:  # as ``nohup`` has it
                signal.signal(number, request)
        from toolkit import cli
        from toolkit.errors import INTERRUPTED

        code = cli.main()
        interrupted = code == INTERRUPTED
    except KeyboardInterrupt:  # while modules are imported; later on Typer turns it into an exit code
        sys.stderr.write("error: interrupted\n")
        interrupted = True
    if interrupted:
        # Python remembers a KeyboardInterrupt that came through exec(), which makes dataclasses, and would end by
        # SIGINT whatever was made of it; the next exec() forgets it.
        exec("")
        code = request.exit_code
    sys.exit(code)


if __name__ == "__main__":
    main()
