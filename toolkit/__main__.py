"""The program, as ``toolkit`` and as ``python -m toolkit``.

Nothing else of toolkit is imported before signals are handled: until then Python answers them, with a traceback.
"""

import os
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


def _open_closed_streams() -> None:
    """Let a standard stream that is closed, as by ``>&-``, lead nowhere: the next file to be opened would become it."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            nowhere = os.open(os.devnull, os.O_RDWR)
            os.set_inheritable(nowhere, True)
            setattr(sys, name, os.fdopen(nowhere, mode, encoding="utf-8"))


def main() -> None:
    """Run the command line of this process."""
    request = _EndRequest()
    heeded = [number for number in SIGNALS if signal.getsignal(number) != signal.SIG_IGN]  # as ``nohup`` has it
    try:
        for number in heeded:
            signal.signal(number, request)
        _open_closed_streams()
        from toolkit import cli
        from toolkit.errors import INTERRUPTED

        code = cli.main()
        interrupted = code == INTERRUPTED
    except KeyboardInterrupt:  # while modules are imported; later on Typer turns it into an exit code
        sys.stderr.write("error: interrupted\n")
        interrupted = True
    for number in heeded:  # there is nothing left to save or to remove
        signal.signal(number, signal.SIG_DFL)
    if interrupted:
        # Python remembers a KeyboardInterrupt that came through exec(), which makes dataclasses, and would end by
        # SIGINT whatever was made of it; the next exec() forgets it.
        exec("")
        code = request.exit_code
    sys.exit(code)


if __name__ == "__main__":
    main()
