"""The process that one configuration is measured in: ``python -m toolkit.bench.worker``, a request on stdin.

A process of its own gives each artifact a clean memory peak, and turns a crash of a runtime into one named line.
"""

import json
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

from toolkit.errors import ToolkitError
from toolkit.runtimes import get


@dataclass(frozen=True)
class Request:
    """What to measure. inputs: a golden with images to rotate through. samples: the .npz to write raw latencies to."""

    path: str
    runtime: str
    threads: int
    batch: int
    seconds: float
    inputs: str | None
    samples: str

    def to_json(self) -> str:
        """Return the request as the worker reads it."""
        return json.dumps(asdict(self))


def main() -> None:
    """Serve one request, and answer with one JSON document on stdout."""
    request = Request(**json.load(sys.stdin))
    try:
        answer = _serve(request)
    except ToolkitError as error:
        answer = {"error": str(error)}
    sys.stdout.write(json.dumps(answer) + "\n")


def _serve(request: Request) -> dict[str, float | int | str | None]:
    import numpy as np

    from toolkit import extras, golden
    from toolkit.bench.measure import measure

    runtime = get(request.runtime)
    extras.load(runtime.PACKAGE)  # importing the package is not loading the artifact
    images = golden.read(Path(request.inputs)).images if request.inputs else None
    measured = measure(
        lambda: runtime.open_session(Path(request.path), threads=request.threads),
        images,
        batch=request.batch,
        seconds=request.seconds,
    )
    np.savez_compressed(request.samples, invoke_ns=measured.invoke_ns, end_to_end_ns=measured.end_to_end_ns)
    return {"load_s": measured.load_s, "first_s": measured.first_s, "peak_rss_bytes": _peak_rss_bytes()}


def _peak_rss_bytes() -> int | None:
    """Return the high-water mark of this process's memory.

    getrusage's ru_maxrss would do, but on Linux it counts the parent's memory before the exec as well.
    """
    try:
        status = Path("/proc/self/status").read_text()
    except OSError:
        return None
    return next((int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith("VmHWM:")), None)


if __name__ == "__main__":
    main()
