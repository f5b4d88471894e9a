"""What a worker does for a benchmark: open one artifact, time it in blocks, and answer questions beside.

A process of its own gives each artifact a clean memory peak. Samples are ns an inference, as float64.
"""

import time
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from toolkit.bench.measure import END_TO_END, INVOKE, PACED, TimedModel
from toolkit.convention import from_message
from toolkit.errors import ArtifactError
from toolkit.host import process_memory_bytes
from toolkit.worker.child import Task

Answer = tuple[dict[str, Any], bytes]


def images_of(inputs: str | None) -> NDArray[np.uint8] | None:
    """Return the images of a golden to rotate through, None without one."""
    from toolkit import golden

    return golden.read(Path(inputs)).images if inputs else None


def open_subject(
    images: NDArray[np.uint8] | None,
    *,
    path: str,
    runtime: str,
    threads: int,
    batch: int,
    convention: dict[str, Any] | None,
    shapes: dict[str, list[int]],
    setting: str | None,
) -> TimedModel:
    """Load an artifact and run it once.

    convention: what it takes for the images. shapes: of its inputs, by name. setting: of its runtime, which has its own
    threads; None for the usual ones.
    """
    from toolkit.bench import settings
    from toolkit.runtimes import get

    usual = partial(get(runtime).open_session, threads=threads)
    opened = partial(settings.get(runtime, setting).open if setting else usual, Path(path))
    try:
        return TimedModel(opened, images, batch=batch, convention=from_message(convention), shapes=shapes)
    except MemoryError as error:
        raise ArtifactError(f"{path}: the memory does not suffice for it") from error


def _open(
    kept: dict[str, Any],
    content: bytes,
    *,
    runtime: str,
    inputs: str | None,
    warm: bool,
    spawned_ns: int,
    **artifact: Any,
) -> Answer:
    """Load and run an artifact.

    inputs: a golden with images to rotate through. warm: whether to run it until its times have settled. spawned_ns:
    when the process began.
    """
    from toolkit import extras
    from toolkit.runtimes import get

    extras.load(get(runtime).PACKAGE)  # importing the package is not loading the artifact
    kept.pop("subject", None)  # before the next takes memory
    images = images_of(inputs)
    before = process_memory_bytes("VmRSS")
    kept["subject"] = subject = open_subject(images, runtime=runtime, **artifact)
    cold_s = (time.perf_counter_ns() - spawned_ns) / 1e9  # the clock is the system's, the same in every process
    settled = subject.warm_up() if warm else False
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
        subject: TimedModel = kept["subject"]
        taken = subject.block(kind, seconds) if rate is None or kind != PACED else subject.paced(rate, seconds)
        return {}, taken.tobytes()

    return samples


def _profile(kept: dict[str, Any], content: bytes, *, inputs: str | None, timed: bool, **artifact: Any) -> Answer:
    from toolkit.bench import dissect
    from toolkit.runtimes import get

    return dissect.profile(
        get(artifact["runtime"]),
        Path(artifact["path"]),
        images_of(inputs),
        threads=artifact["threads"],
        batch=artifact["batch"],
        timed=timed,
        convention=from_message(artifact["convention"]),
        shapes=artifact["shapes"],
    ), b""


def _probe(kept: dict[str, Any], content: bytes, *, runtime: str, threads: int) -> Answer:
    from toolkit.bench import dissect
    from toolkit.runtimes import get

    return {"roofs": dissect.probe(get(runtime), threads=threads)}, b""


def _check(
    kept: dict[str, Any], content: bytes, *, path: str, runtime: str, listed: bool, images: int | None
) -> Answer:
    """Compare an artifact of a manifest with its golden, and say what it may compute differently elsewhere."""
    from toolkit import manifest as manifests
    from toolkit.parity import recorded
    from toolkit.runtimes import choosing, get

    file, problem = Path(path), None
    if listed:
        manifest = manifests.read(file.parent)
        artifact = next(entry for entry in manifest.artifacts if entry.path == file.name)
        with choosing(runtime):
            problem = recorded.problem(manifest, artifact, images=images)
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
