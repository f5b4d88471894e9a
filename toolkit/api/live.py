"""The live page."""

from collections.abc import Callable
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from toolkit import extras
from toolkit.api.base import warn
from toolkit.api.road import default_artifact

if TYPE_CHECKING:
    from toolkit.serve.address import Address


def serve(
    *artifacts: str | PathLike[str],
    host: str = "127.0.0.1",
    port: int = 8000,
    token: str | None = None,
    input_range: str | None = None,
    on_ready: "Callable[[Address], None]",
    on_failure: Callable[[str], None] = warn,
) -> NoReturn:
    """Serve a live page of artifacts and its API until Ctrl-C, which is raised as KeyboardInterrupt; docs/serve.md.

    artifacts: one to four; none stands for ``default_artifact()``. host, port: where to listen; 0 stands for any port
    that is free. token: what a request must have; None has one made wherever other machines can ask. input_range: as
    for ``predict``. on_ready: called when requests are answered, with an address whose ``.link`` leads to the page.
    on_failure: told why a worker died; another takes its place. Raises UsageError for an address that cannot be had,
    ArtifactError for an artifact that cannot be opened, MissingExtraError without the extra ``serve``.
    """
    from toolkit.convention import parse

    extras.require("starlette", "uvicorn", "segno")
    from toolkit.serve import server
    from toolkit.serve.address import bind

    paths = [Path(artifact) for artifact in artifacts] or [default_artifact()]
    given = None if input_range is None else parse(input_range)
    server.names(paths)
    address = bind(host, port, token)
    server.serve(paths, address, given=given, warn=warn, on_ready=on_ready, on_failure=on_failure)
