"""Why the probabilities of an artifact are not those of Keras: the file is to blame, or the kernels of this machine."""

from pathlib import Path

import numpy as np

from toolkit import runtimes
from toolkit.errors import ArtifactError
from toolkit.parity.checks import MAX_MEAN_DIVERGENCE
from toolkit.parity.evidence import candidate_rows
from toolkit.parity.material import Material
from toolkit.runtimes.base import Opener

# Images that kernels are compared on.
IMAGES = 500
OF_THE_FILE = "other weights, inputs, calibration?"


def why_divergent(path: Path, expected: Material, open_session: Opener) -> str:
    """Run the artifact again with the runtime's other kernels, and say whether the file is what differs from Keras."""
    runtime = runtimes.get(runtimes.for_file(path))
    for kernels in runtime.KERNELS[1:]:
        try:
            if _mean_divergence(path, expected, open_session, kernels) <= MAX_MEAN_DIVERGENCE:
                return f"not the file, but kernels of this machine: with those called '{kernels}' it agrees with Keras"
        except ArtifactError:
            continue
    return OF_THE_FILE


def _mean_divergence(path: Path, expected: Material, open_session: Opener, kernels: str) -> float:
    """Return the mean divergence from the reference's probabilities, in nats; inf where outputs are no numbers."""
    session = open_session(path, kernels=kernels)
    session.convention = expected.convention
    outputs, reference = session.predict(expected.images[:IMAGES]), expected.reference[:IMAGES]
    if not np.isfinite(outputs).all():
        return float("inf")
    rows = candidate_rows(outputs, np.asarray(reference), step=session.output.scale, logits=expected.logits)
    return float(rows["kl"].astype(np.float64).mean())
