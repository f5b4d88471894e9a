"""Whether an artifact answers here as on the machine that exported it: its golden, in milliseconds."""

from toolkit import golden, runtimes
from toolkit.errors import ArtifactError
from toolkit.manifest import Artifact, Manifest
from toolkit.parity.checks import SATURATION
from toolkit.parity.compare import compare
from toolkit.parity.material import material
from toolkit.runtimes.base import Opener
from toolkit.worker.session import Workers


def problem(
    manifest: Manifest, artifact: Artifact, *, images: int | None = None, open_session: Opener = runtimes.open_session
) -> str | None:
    """Return why an artifact fails `toolkit verify --golden` on this machine; None if it passes.

    None too if the folder has no golden, or one without outputs of this artifact. images: how many of the golden's
    are enough; all unless told. Raises ArtifactError if the golden cannot be read.
    """
    if not manifest.golden_path.is_file():
        return None
    if changed := manifest.check_digest(manifest.golden):
        return changed
    record = golden.read(manifest.golden_path)
    recorded = record.recorded.get(artifact.path)
    if recorded is None:
        return None
    rows = slice(images)
    expected = material(
        record.images[rows],
        record.labels[rows],
        record.reference[rows],
        {artifact.path: recorded[rows]},
        convention=manifest.convention,
    )
    broken = compare(manifest, artifact, expected, open_session=open_session).problem
    if broken is None or broken.check == SATURATION:  # which is about other machines: here it is opened exactly
        return None
    return broken.text.removeprefix(f"{manifest.folder / artifact.path}: ")


def divergence_here(manifest: Manifest, artifact: Artifact, workers: Workers) -> str | None:
    """Return what keeps an artifact from answering as recorded, in a worker: a crash and a damaged golden included."""
    try:
        return problem(manifest, artifact, open_session=workers.open_session)
    except ArtifactError as error:
        return str(error)
