"""What to measure, in which order: each configuration in a worker process, the record saved after each."""

import json
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from toolkit import extras, host, manifest, runtimes
from toolkit.bench.record import Record, Result
from toolkit.bench.worker import Request
from toolkit.errors import ArtifactError, MissingExtraError, UsageError, WorkerFailedError
from toolkit.manifest import MANIFEST, Manifest
from toolkit.runtimes import REFERENCE_RUNTIME


@dataclass(frozen=True)
class Candidate:
    """A file to measure. manifest: the one that lists it, where there is one."""

    path: Path
    runtime: str
    manifest: Manifest | None


def select(paths: Sequence[Path], *, warn: Callable[[str], None]) -> list[Candidate]:
    """Return the files that files and folders stand for.

    In a folder, files without an installed runtime are left out with a warning; named by itself, such a file is a
    MissingExtraError. ArtifactError where nothing is left, or where a file is not the one that its manifest lists.
    """
    found: dict[Path, Candidate] = {}
    missing: dict[str, int] = {}
    for path in paths:
        if not path.exists():
            raise ArtifactError(f"{path}: no such file or folder")
        for file in [path] if path.is_file() else _files(path):
            name = runtimes.for_file(file)
            if path.is_file():
                extras.require(runtimes.get(name).PACKAGE)
            if runtimes.installed(name):
                found.setdefault(file.resolve(), Candidate(file, name, manifest.listing(file)))
            elif name != REFERENCE_RUNTIME:  # a device without TensorFlow is as it should be
                missing[name] = missing.get(name, 0) + 1
    for name, count in missing.items():
        warn(f"{count} files left out, {MissingExtraError(*runtimes.package_and_extra(name))}")
    if not found:
        places = ", ".join(str(path) for path in paths)
        raise ArtifactError(f"{places}: nothing to measure there; allowed: {', '.join(runtimes.suffixes())} files")
    return list(found.values())


def bench(
    candidates: Sequence[Candidate],
    folder: Path,
    *,
    threads: Sequence[int] = (1,),
    batches: Sequence[int] = (1,),
    seconds: float = 1.0,
    on_result: Callable[[int, str], None] = lambda done, name: None,
) -> Record:
    """Measure every candidate with every number of threads and batch size, one after the other.

    The record and the raw samples go to ``folder``, anew after each configuration, so that nothing measured is lost. An
    artifact that does not run becomes a failure of the record, and the others go on.
    """
    if not threads or not batches or min(threads) < 1 or min(batches) < 1 or not 0 < seconds < float("inf"):
        raise UsageError("threads and batch sizes must be at least 1, and the seconds above 0")
    folder.mkdir(parents=True)
    record = Record(folder, host.describe(), _now(), seconds, runtimes.versions())
    record.save()
    turns = [(c, t, b) for c in candidates for b in batches for t in threads]
    for done, (candidate, thread_count, batch) in enumerate(turns):
        on_result(done, candidate.path.name)
        samples = folder / f"{done:03}-{candidate.path.name}-t{thread_count}-b{batch}.npz"
        try:
            answer = _run_worker(candidate, samples, threads=thread_count, batch=batch, seconds=seconds)
        except ArtifactError as error:
            setting = f" ({thread_count} threads, batch {batch})" if len(turns) > len(candidates) else ""
            record.failures[f"{candidate.path}{setting}"] = str(error)
            record.save()
            continue
        with np.load(samples, allow_pickle=False) as arrays:
            invoke_s, end_to_end_s = arrays["invoke_ns"] / 1e9, arrays["end_to_end_ns"] / 1e9
        record.results.append(
            Result(
                path=candidate.path,
                manifest=candidate.manifest,
                runtime=candidate.runtime,
                threads=thread_count,
                batch=batch,
                samples=samples.name,
                invoke_s=invoke_s,
                end_to_end_s=end_to_end_s,
                **answer,
            )
        )
        record.save()
    on_result(len(turns), "")
    return record


def new_folder(parent: Path) -> Path:
    """Return a folder for a record that does not exist yet, named by the time."""
    stamp = datetime.now().strftime("%Y%m%d-%H%M%S")
    names = (stamp, *(f"{stamp}-{number}" for number in range(2, 1000)))
    return next(folder for name in names if not (folder := parent / name).exists())


def _files(folder: Path) -> list[Path]:
    """Return the artifacts below a folder; beside a manifest only those that it lists, and the Keras original."""
    files = [
        path
        for path in sorted(folder.rglob("*"))
        if path.suffix in runtimes.suffixes()
        and path.is_file()
        and not any(part.startswith(".") for part in path.relative_to(folder).parts)
    ]
    manifests = {path.parent: manifest.read(path.parent) for path in files if (path.parent / MANIFEST).is_file()}
    listed = {
        parent: [*(artifact.path for artifact in found.artifacts), str(found.reference["path"])]
        for parent, found in manifests.items()
    }
    chosen = [path for path in files if path.parent not in listed or path.name in listed[path.parent]]
    return sorted(chosen, key=lambda p: (p.parent, listed[p.parent].index(p.name) if p.parent in listed else 0, p.name))


def _run_worker(candidate: Candidate, samples: Path, *, threads: int, batch: int, seconds: float) -> dict[str, Any]:
    """Measure in a process of its own; ArtifactError where it cannot, WorkerFailedError where that process dies."""
    inputs = candidate.manifest.golden_path if candidate.manifest else None
    request = Request(
        path=str(candidate.path),
        runtime=candidate.runtime,
        threads=threads,
        batch=batch,
        seconds=seconds,
        inputs=str(inputs) if inputs and inputs.is_file() else None,
        samples=str(samples),
    )
    process = subprocess.run(
        [sys.executable, "-m", "toolkit.bench.worker"],
        input=request.to_json(),
        capture_output=True,
        text=True,
        check=False,
    )
    lines = process.stdout.splitlines()
    if process.returncode != 0 or not lines:
        raise WorkerFailedError(f"{candidate.path}: {candidate.runtime} {_how_it_ended(process)}")
    answer: dict[str, Any] = json.loads(lines[-1])
    if "error" in answer:
        raise ArtifactError(str(answer["error"]))
    return answer


def _how_it_ended(process: subprocess.CompletedProcess[str]) -> str:
    if process.returncode < 0:
        return f"was ended by {signal.Signals(-process.returncode).name}"
    last = process.stderr.strip().splitlines()[-1:] or ["no message"]
    return f"failed: {last[0]}"


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
