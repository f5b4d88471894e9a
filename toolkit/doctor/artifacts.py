"""Run what was exported, in a worker, as ``bench`` and ``verify`` do: whatever a file does, it is one line."""

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from toolkit import manifest as manifests
from toolkit import runtimes
from toolkit.errors import ArtifactError
from toolkit.runtimes import REFERENCE_RUNTIME

if TYPE_CHECKING:
    from toolkit.worker.session import Workers


def failures(paths: Sequence[Path], working: Collection[str], *, kernels: str | None) -> dict[Path, str]:
    """Return how artifacts fail here, or answer differently than where they were exported.

    Not of a Keras original: TensorFlow was tried as a part, and to import it once more takes as long again.

    working: the runtimes that do; without one, nothing is imported. kernels: what chooses the kernels here.
    """
    suffixes = {suffix for name in {*working} - {REFERENCE_RUNTIME} for suffix in runtimes.get(name).SUFFIXES}
    mine = [path for path in paths if path.suffix in suffixes]
    if not mine:
        return {}
    from toolkit.worker.session import contained

    with contained() as workers:
        failures = {path: _failure(path, workers, kernels) for path in mine}
    return {path: said for path, said in failures.items() if said}


def _failure(path: Path, workers: "Workers", kernels: str | None) -> str | None:
    import numpy as np

    from toolkit.parity import recorded

    try:
        session = workers.open_session(path)
        session.predict(np.zeros((1, *(size or 1 for size in session.input.shape[1:])), session.convention.dtype))
        manifest = manifests.read(path.parent)
        artifact = next((entry for entry in manifest.artifacts if entry.path == path.name), None)
        why = recorded.problem(manifest, artifact, open_session=workers.open_session) if artifact else None
    except ArtifactError as error:
        return str(error)
    here = f" ({kernels})" if kernels else ""
    return f"answers differently here{here} than where it was exported: {why}" if why else None
