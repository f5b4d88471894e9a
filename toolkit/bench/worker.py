"""The process that one configuration is measured in: ``python -m toolkit.bench.worker``, questions on stdin.

A process of its own gives each artifact a clean memory peak, and turns a crash of a runtime into one named line. It
answers one line of JSON for each line of JSON, followed by the samples that the line counts, as float64.
"""

import json
import os
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from toolkit.errors import ArtifactError, ToolkitError
from toolkit.host import process_memory_bytes

if TYPE_CHECKING:
    from toolkit.bench.measure import Subject


def main() -> None:
    """Answer until stdin ends."""
    # What a runtime prints must not come between the answers.
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    subject: Subject | None = None
    for line in sys.stdin:
        question = json.loads(line)
        try:
            if question["do"] == "open":
                subject, answer = _open(**{key: value for key, value in question.items() if key != "do"})
                _answer(answers, answer, b"")
            elif question["do"] in _ASIDE:
                arguments = {key: value for key, value in question.items() if key != "do"}
                _answer(answers, _ASIDE[question["do"]](**arguments), b"")
            elif subject is not None:
                _answer(answers, *_measure(subject, question))
        except ToolkitError as error:
            _answer(answers, {"error": str(error)}, b"")


def _answer(answers: BinaryIO, document: dict[str, Any], samples: bytes) -> None:
    answers.write(json.dumps({**document, "bytes": len(samples)}).encode() + b"\n" + samples)
    answers.flush()


def _open(
    *, path: str, runtime: str, threads: int, batch: int, inputs: str | None, busy_share: float | None, spawned_ns: int
) -> tuple["Subject", dict[str, Any]]:
    """Load and run an artifact.

    inputs: a golden with images to rotate through. busy_share: of busy work to add. spawned_ns: when the process began.
    """
    from toolkit import extras, golden
    from toolkit.bench.measure import Subject
    from toolkit.runtimes import get

    module = get(runtime)
    extras.load(module.PACKAGE)  # importing the package is not loading the artifact
    images = golden.read(Path(inputs)).images if inputs else None
    before = process_memory_bytes("VmRSS")
    try:
        opened = partial(module.open_session, Path(path), threads=threads)
        subject = Subject(opened, images, batch=batch, busy_share=busy_share)
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
        "settled": settled,
        "real_inputs": subject.real_inputs,
        "remark": subject.remark,
    }
    return subject, answer


def _profile(*, path: str, runtime: str, threads: int, batch: int, inputs: str | None, timed: bool) -> dict[str, Any]:
    from toolkit import golden
    from toolkit.bench import dissect
    from toolkit.runtimes import get

    images = golden.read(Path(inputs)).images if inputs else None
    return dissect.profile(get(runtime), Path(path), images, threads=threads, batch=batch, timed=timed)


def _probe(*, runtime: str, threads: int) -> dict[str, Any]:
    from toolkit.bench import dissect
    from toolkit.runtimes import get

    return {"roofs": dissect.probe(get(runtime), threads=threads)}


def _check(*, path: str, runtime: str, listed: bool, images: int | None) -> dict[str, Any]:
    """Hold an artifact that a manifest lists against its golden, and say what may come out otherwise elsewhere."""
    from toolkit import manifest
    from toolkit.parity import recorded
    from toolkit.runtimes import get

    file, problem = Path(path), None
    if listed:
        found = manifest.read(file.parent)
        artifact = next(entry for entry in found.artifacts if entry.path == file.name)
        problem = recorded.problem(found, artifact, images=images)
    return {"problem": problem, "notes": get(runtime).portability(file).notes}


# What is asked beside the latency of an artifact.
PROFILE, PROBE, CHECK = "profile", "probe", "check"
_ASIDE: dict[str, Callable[..., dict[str, Any]]] = {PROFILE: _profile, PROBE: _probe, CHECK: _check}


def _measure(subject: "Subject", question: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
    from toolkit.bench.measure import PACED

    if question["do"] == PACED:
        return {}, subject.paced(question["rate"], question["seconds"]).tobytes()
    return {}, subject.block(question["do"], question["seconds"]).tobytes()


if __name__ == "__main__":
    main()
