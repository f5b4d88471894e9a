"""Run files in a worker by the questions that `bench` begins with: what a file does is one line, and the same one."""

from collections.abc import Collection, Sequence
from contextlib import ExitStack, closing
from pathlib import Path
from typing import TYPE_CHECKING

from toolkit import manifest as manifests
from toolkit import runtimes
from toolkit.errors import ArtifactError

if TYPE_CHECKING:
    from toolkit.worker.process import Process


def failures(paths: Sequence[Path], working: Collection[str], *, kernels: str | None) -> dict[Path, str]:
    """Return how files fail here, or answer differently than where they were exported.

    working: the runtimes that do; without one, nothing is imported. kernels: what chooses the kernels here.
    """
    suffixes = {suffix for name in working for suffix in runtimes.get(name).SUFFIXES}
    mine = [path for path in paths if path.suffix in suffixes]
    if not mine:
        return {}
    from toolkit.bench.opening import TASKS
    from toolkit.worker.process import Process

    failures: dict[Path, str] = {}
    with ExitStack() as own:
        process = own.enter_context(closing(Process("", TASKS)))
        for path in mine:
            if process.failed:  # the last file has ended it
                process = own.enter_context(closing(Process("", TASKS)))
            if said := _failure(path, process, kernels):
                failures[path] = said
    return failures


def _failure(path: Path, process: "Process", kernels: str | None) -> str | None:
    from toolkit.bench.candidates import Candidate
    from toolkit.bench.configuration import Configuration
    from toolkit.bench.opening import check, images_in_time, open_in

    try:
        candidate = Candidate(path, runtimes.for_file(path), manifests.listing(path))
        opened = open_in(process, Configuration(candidate, threads=1, batch=1), warm=False)
        why, _ = check(process, candidate, images_in_time(opened))
    except ArtifactError as error:
        return str(error)
    here = f" ({kernels})" if kernels else ""
    return f"answers differently here{here} than its golden says: {why}" if why else None
