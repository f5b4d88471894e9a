"""Instructions of an inference: work, not time, so the same on a busy machine as on a quiet one."""

from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from toolkit import host, locks, manifest, runtimes
from toolkit.bench.candidates import Candidate
from toolkit.bench.configuration import Configuration
from toolkit.bench.instructions import perf, qemu
from toolkit.bench.instructions.cpus import CPUS
from toolkit.bench.instructions.tasks import COUNT
from toolkit.errors import ArtifactError, UsageError
from toolkit.runtimes import REFERENCE_RUNTIME
from toolkit.worker.process import COMMAND, Process

TASKS = "toolkit.bench.instructions.tasks"
PERF = "perf events"
# Seconds that an emulated worker may take longer than any other: its instructions are translated first.
EMULATED_S = 300.0


@dataclass(frozen=True)
class Instructions:
    """What one inference of an artifact executes: one image, one thread, input and output not counted.

    count: instructions. counter: what counted them, with its version. cpu: the CPU that executed them, real or
    emulated; its instruction sets choose the kernels, so counts of two CPUs are not comparable. remark: how the
    artifact was opened, if not as its runtime would by itself. versions: of the runtime's packages.
    """

    runtime: str
    count: int
    counter: str
    cpu: str
    remark: str | None
    versions: dict[str, str]

    @property
    def where(self) -> str:
        """What counted them, and on which CPU, in words."""
        return f"{self.counter} on {self.cpu}"

    def to_json(self) -> dict[str, Any]:
        """Return what a record says of it."""
        return asdict(self)


def count(path: Path, *, cpu: str | None = None, shapes: Mapping[str, Sequence[int]] | None = None) -> Instructions:
    """Count the instructions of one inference of an artifact, in a process of its own.

    shapes: as ``Candidate`` has them. cpu: one of ``cpus.CPUS``, which qemu-user then emulates. None stands for this
    machine where perf events count instructions, else for the CPU of ``qemu.USUAL`` for its architecture. Raises
    UsageError if nothing here can count or the CPU is not known, ArtifactError if the artifact cannot be run or is of
    Keras, whose threads share an inference.
    """
    return count_of(Candidate(path, runtimes.for_file(path), manifest.listing(path), shapes or {}), cpu=cpu)


def count_of(candidate: Candidate, *, cpu: str | None = None) -> Instructions:
    """Count a candidate of a benchmark, on its runtime, as ``count`` does."""
    path, runtime = candidate.path, candidate.runtime
    if runtime == REFERENCE_RUNTIME:
        raise ArtifactError(f"{path}: its instructions are not counted; export it, and count those of the artifact")
    told = Configuration(candidate, threads=1, batch=1).told
    emulated = emulator_for(cpu)
    what = f"{path}: {runtime}"
    with locks.scratch() as folder:
        file = folder / "count"
        command = [*qemu.python(emulated, file), *COMMAND[1:]] if emulated else COMMAND
        with closing(Process(what, TASKS, command=command)) as process:
            question = {"do": COUNT, "file": str(file) if emulated else None, **told}
            answer, _ = process.ask(question, seconds=EMULATED_S if emulated else 0.0)
    if emulated and answer["count"] <= 0:
        raise UsageError(
            f"{qemu.version(emulated)} counts nothing: it must load plugins, which qemu-user does and "
            "qemu-user-static does not"
        )
    if answer["count"] <= 0:
        raise ArtifactError(f"{path}: its instructions were not counted; try again")
    counter, name = (qemu.version(emulated), emulated) if emulated else (PERF, host.describe().cpu)
    return Instructions(runtime, answer["count"], counter, name, answer["remark"], answer["versions"])


def emulator_for(cpu: str | None) -> str | None:
    """Return the CPU to emulate, None where this one counts. cpu: as ``count`` takes it.

    Raises UsageError if nothing here can count, or the CPU is not known: what it takes is compiled now.
    """
    if host.describe().emulated:
        raise UsageError(
            "instructions cannot be counted on an emulated machine; count them on the one that emulates it"
        )
    unless = ""
    if cpu is None:
        refused = perf.refused()
        if refused is None:
            return None
        unless, cpu = f"perf events are not counted here ({refused}), and ", qemu.usual()
    if cpu not in CPUS:
        raise UsageError(f"unknown CPU '{cpu}'; allowed: {', '.join(CPUS)}")
    if lacking := qemu.lacking(cpu):
        raise UsageError(f"instructions cannot be counted: {unless}{lacking}")
    qemu.plugin()
    return cpu
