"""Ask whether an artifact answers here as where it was exported, in a process of its own: it may be damaged."""

from toolkit import runtimes
from toolkit.bench.tasks import CHECK
from toolkit.errors import ArtifactError
from toolkit.manifest import Artifact, Manifest
from toolkit.worker.process import Process


def otherwise(found: Manifest, artifact: Artifact) -> str | None:
    """Return what keeps the artifact from answering as recorded, a crash included; None where nothing does."""
    path = found.folder / artifact.path
    runtime = runtimes.for_file(path)
    process = Process(f"{path}: {runtime}", "toolkit.bench.tasks")
    try:
        answer, _ = process.ask({"do": CHECK, "path": str(path), "runtime": runtime, "listed": True, "images": None})
    except ArtifactError as error:
        return str(error).removeprefix(f"{path}: ")
    finally:
        process.close()
    problem: str | None = answer["problem"]
    return problem
