"""What a worker does for a benchmark: open one artifact, time it in blocks, and answer questions beside.

A process of its own gives each artifact a clean memory peak. Samples are ns an inference, as float64.
"""

import time
from functools import partial
from pathlib import Path
from typing import Any

from toolkit.bench.measure import END_TO_END, INVOKE, PACED, Subject
from toolkit.convention import of_message
from toolkit.errors import ArtifactError
from toolkit.host import process_memory_bytes
from toolkit.worker.child import Task

Answer = tuple[dict[str, Any], bytes]


def _open(
    kept: dict[str, Any],
    content: bytes,
    *,
    path: str,
    runtime: str,
    threads: int,
    batch: int,
    inputs: str | None,
    convention: dict[str, Any] | None,
    busy_share: float | None,
    spawned_ns: int,
) -> Answer:
    """Load and run an artifact.

    inputs: a golden with images to rotate through. convention: what the artifact takes for them. busy_share: of busy
    work to add. spawned_ns: when the process began.
    """
    from toolkit import extras, golden
    from toolkit.runtimes import get

    module = get(runtime)
    extras.load(module.PACKAGE)  # importing the package is not loading the artifact
    images = golden.read(Path(inputs)).images if inputs else None
    before = process_memory_bytes("VmRSS")
    try:
        opened = partial(module.open_session, Path(path), threads=threads)
        kept["subject"] = subject = Subject(
            opened, images, batch=batch, convention=of_message(convention), busy_share=busy_share
        )
    except MemoryError as error:
        raise ArtifactError(f"{path}: the memory does not suffice for it") from error
    cold_s = (time.perf_counter_ns() - spawned_ns) / 1e9  # the clock is the system's, the same in every process
    settled = subject.warm_up()
    peak = process_memory_bytes("VmHWM")
    answer = {
        "load_s": subject.load_s,
        "first_s": subject.first_s,
        "cold_s": cold_s,
        "peak_rss_bytes": peak,
        "added_rss_bytes": None if peak is None or before is None else max(0, peak - before),
        "loop": subject.loop,
        "batch": subject.batch,
        "settled": settled,
        "real_inputs": subject.real_inputs,
        "remark": subject.remark,
    }
    return answer, b""


def _timed(kind: str) -> Task:
    """Return the task that times the artifact which is open in blocks of a kind. rate: images a second, where paced."""

    def samples(kept: dict[str, Any], content: bytes, *, rate: float | None, seconds: float) -> Answer:
        subject: Subject = kept["subject"]
        taken = subject.block(kind, seconds) if rate is None or kind != PACED else subject.paced(rate, seconds)
        return {}, taken.tobytes()

    return samples


def _profile(
    kept: dict[str, Any],
    content: bytes,
    *,
    path: str,
    runtime: str,
    threads: int,
    batch: int,
    inputs: str | None,
    convention: dict[str, Any] | None,
    timed: bool,
) -> Answer:
    from toolkit import golden
    from toolkit.bench import dissect
    from toolkit.runtimes import get

    images = golden.read(Path(inputs)).images if inputs else None
    module, means = get(runtime), of_message(convention)
    found = dissect.profile(module, Path(path), images, threads=threads, batch=batch, timed=timed, convention=means)
    return found, b""


def _probe(kept: dict[str, Any], content: bytes, *, runtime: str, threads: int) -> Answer:
    from toolkit.bench import dissect
    from toolkit.runtimes import get

    return {"roofs": dissect.probe(get(runtime), threads=threads)}, b""


def _check(
    kept: dict[str, Any], content: bytes, *, path: str, runtime: str, listed: bool, images: int | None
) -> Answer:
    """Compare an artifact that a manifest lists with its golden, and say what may come out otherwise elsewhere."""
    from toolkit import manifest
    from toolkit.parity import recorded
    from toolkit.runtimes import get

    file, problem = Path(path), None
    if listed:
        found = manifest.read(file.parent)
        artifact = next(entry for entry in found.artifacts if entry.path == file.name)
        problem = recorded.problem(found, artifact, images=images)
    return {"problem": problem, "notes": get(runtime).portability(file).notes}, b""


OPEN, PROFILE, PROBE, CHECK = "open", "profile", "probe", "check"
TASKS: dict[str, Task] = {
    OPEN: _open,
    INVOKE: _timed(INVOKE),
    END_TO_END: _timed(END_TO_END),
    PACED: _timed(PACED),
    PROFILE: _profile,
    PROBE: _probe,
    CHECK: _check,
}
