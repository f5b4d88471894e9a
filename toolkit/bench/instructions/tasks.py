"""What a worker does to count: open one artifact, and count what an inference of it executes."""

from pathlib import Path
from typing import Any

from toolkit.bench.instructions import perf, qemu
from toolkit.bench.instructions.counting import count_call
from toolkit.bench.tasks import Answer, images_of, open_subject
from toolkit.worker.child import Task


def _count(kept: dict[str, Any], content: bytes, *, file: str | None, inputs: str | None, **artifact: Any) -> Answer:
    """Count one inference. file: what qemu's plugin counts in; None where the CPU itself counts."""
    from toolkit import runtimes

    executed = qemu.counter(Path(file)) if file else perf.counter()
    subject = open_subject(images_of(inputs), **artifact)
    count = count_call(subject.prepared(), executed)
    return {"count": count, "remark": subject.remark, "versions": runtimes.versions(artifact["runtime"])}, b""


COUNT = "count"
TASKS: dict[str, Task] = {COUNT: _count}
