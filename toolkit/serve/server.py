"""One server: artifacts opened, then served until Ctrl-C."""

import ctypes
import logging
import socket
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NoReturn

import uvicorn
from starlette.types import ASGIApp

from toolkit import images
from toolkit.convention import Convention
from toolkit.errors import UsageError
from toolkit.serve import app, limits
from toolkit.serve.address import Address
from toolkit.serve.engine import Engine
from toolkit.serve.metrics import ServiceMetrics
from toolkit.serve.protocol import Protocol

# Artifacts of one server: each has a process of its own.
MOST = 4
# Parameters of glibc's mallopt (malloc.h), and the values that keep memory flat: blocks from 128 KiB on are the
# system's again when they are freed, which glibc gives up after the first large one, and all threads share one heap.
MALLOPT = {-3: 128 << 10, -8: 1}  # M_MMAP_THRESHOLD, M_ARENA_MAX


def names(paths: Sequence[Path]) -> list[str]:
    """Return what artifacts are called in answers: by their file, or by their path where two files share a name."""
    if not 1 <= len(paths) <= MOST:
        raise UsageError(f"{len(paths)} artifacts were given; allowed: 1 to {MOST}, each runs in a process of its own")
    if twice := [path for path, count in Counter(paths).items() if count > 1]:
        raise UsageError(f"{twice[0]} was given twice; give each artifact once")
    shared = Counter(path.name for path in paths)
    return [path.name if shared[path.name] == 1 else str(path) for path in paths]


def serve(
    paths: Sequence[Path],
    address: Address,
    *,
    given: Convention | None = None,
    warn: Callable[[str], None],
    on_ready: Callable[[Address], None],
    on_failure: Callable[[str], None],
) -> NoReturn:
    """Serve artifacts until Ctrl-C, which is a KeyboardInterrupt then.

    on_ready: called when it answers; on_failure: told why a worker died.
    """
    metrics = ServiceMetrics(called := names(paths))
    _return_memory()
    engines: list[Engine] = []
    try:
        for name, path in zip(called, paths, strict=True):
            engines.append(Engine(name, path, given=given, metrics=metrics, warn=warn, on_failure=on_failure))
        with images.quiet():  # of all threads that read images
            _run(app.make(engines, metrics, token=address.token), address, on_ready)
    finally:
        for engine in engines:
            engine.close()
        address.listening.close()


def _return_memory() -> None:
    """Have the memory of a burst go back to the system, where it is glibc's."""
    if mallopt := getattr(ctypes.CDLL(None), "mallopt", None):
        for parameter, value in MALLOPT.items():
            mallopt(parameter, value)


class _Server(uvicorn.Server):
    """A server that says when it answers. Ctrl-C is its own by then: while modules are imported, Python may lose it."""

    def __init__(self, config: uvicorn.Config, on_ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._on_ready = on_ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._on_ready()


def _run(served: ASGIApp, address: Address, on_ready: Callable[[Address], None]) -> NoReturn:
    # What goes wrong for a client, the client is told; nothing of it belongs on the terminal.
    logging.getLogger("uvicorn").setLevel(logging.CRITICAL)
    config = uvicorn.Config(
        served,
        http=Protocol,
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=limits.IDLE_S,
        timeout_graceful_shutdown=0,
    )
    _Server(config, lambda: on_ready(address)).run(sockets=[address.listening])
    raise KeyboardInterrupt  # also where whoever started this process has it ignored
