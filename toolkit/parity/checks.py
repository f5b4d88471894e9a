"""What fails an artifact whatever its accuracy: each check has a name, a rule and a sentence."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from toolkit.convention import SUM_TOLERANCE
from toolkit.errors import ArtifactError, RunError
from toolkit.files import documents, sha256
from toolkit.manifest import Artifact, Derived, Manifest, TensorSpec
from toolkit.parity.figures import CLEAR_MARGIN, Figures
from toolkit.portability import Portability
from toolkit.runs import read_config

# Largest difference of the outputs of a float32 artifact from Keras', or between two machines (sums in another order).
FLOAT32_TOLERANCE = 1e-4
# The same between two machines for the other artifacts that answer in float: one step of an 8-bit probability.
EIGHT_BIT_TOLERANCE = 1 / 256
# Mean divergence of a quantized artifact's outputs, in nats. By Pinsker's and Jensen's inequalities, on average at most
# sqrt(0.01 / 2) = 7 % of the probability lies on other classes than Keras put it on. docs/evidence.md has what was
# measured on both sides of it: quantization itself, and another run that is just as accurate.
MAX_MEAN_DIVERGENCE = 0.01
# Share of the calibration rows that must differ from each other.
DISTINCT_SHARE = 0.5


DIGEST, DIVERGENCE, SATURATION = "digest", "divergence", "saturation"
# The checks that rest on figures alone.
OF_FIGURES = ("float32", DIVERGENCE)


@dataclass(frozen=True)
class Problem:
    """Why an artifact fails: the name of the check, and a sentence."""

    check: str
    text: str


def check_sums(furthest: float, step: float | None, *, classes: int) -> Problem | None:
    """The outputs of a row sum to 1, as the reference's do. furthest: how far a sum is from that, at most.

    step: that outputs are rounded to.
    """
    if furthest <= SUM_TOLERANCE + classes * (step or 0.0):  # kernels round each output by a step at most
        return None
    text = f"its outputs are no probabilities (a row's sum is {furthest:.3g} away from 1): softmax missing?"
    return Problem("probabilities", text)


def check_file(manifest: Manifest, artifact: Artifact) -> Problem | None:
    """The file, and what was made from it, are those that were exported, from rows that differ."""
    files: list[Artifact | Derived] = [artifact]
    files += [entry for entry in manifest.derived if entry.made_from == artifact.path]
    for entry in files:
        if text := manifest.check_digest(entry):
            return Problem(DIGEST, text)
    digests = manifest.calibration.row_sha256_16
    distinct = len(set(digests))
    is_calibrated = artifact.is_calibrated and not manifest.calibration.is_trained
    if is_calibrated and distinct < DISTINCT_SHARE * len(digests):
        text = f"its ranges were calibrated on {len(digests)} rows of which only {distinct} differ"
        return Problem("calibration", f"{text}; export it again with real training rows")
    return None


def check_source(manifest: Manifest, runs: Path) -> Problem | None:
    """The run that was exported, if it lies in ``runs``, still has the weights that were exported."""
    run, file = manifest.source.run, manifest.source.file
    folder = runs / str(run)
    if run is None or not (folder / file).is_file() or not _is_run_of(folder, manifest):
        return None
    if sha256(folder / file) == manifest.source.sha256:
        return None
    return Problem("stale", f"{folder / file} has changed since it was exported; export it again")


def _is_run_of(folder: Path, manifest: Manifest) -> bool:
    """Say whether a run of that name is the one that was exported, and not another's: same recipe and data."""
    try:
        config = read_config(folder)
    except RunError:
        return False
    recipe = documents.to_tree(manifest.recipe) or {}
    same = {**config["recipe"], "epochs": None} == {**recipe, "epochs": None}
    return same and config["data"]["digests"] == manifest.data.digests


def check_specification(artifact: Artifact, given: TensorSpec, returned: TensorSpec) -> Problem | None:
    """The tensors of the file are those that the manifest tells an application about."""
    for listed, actual in ((artifact.inputs[0], given), (artifact.outputs[0], returned)):
        for name in ("shape", "dtype", "scale", "zero_point"):
            says, has = getattr(listed, name), getattr(actual, name)
            if name == "shape" and len(has) == len(says):  # a runtime may fix what the file leaves free
                says = tuple(there if size is None else size for size, there in zip(says, has, strict=True))
            if says != has:
                where = f"the {name.replace('_', ' ')} of '{actual.name}' is {has}"
                return Problem("specification", f"{where}, the manifest says {says}; export it again")
    return None


def check_shape(outputs: NDArray[np.float32], reference: NDArray[np.float32]) -> Problem | None:
    """The outputs tell as many classes apart as the reference's."""
    if outputs.shape == reference.shape:
        return None
    text = f"its outputs are {outputs.shape}, the reference's {reference.shape}: not the same classes"
    return Problem("classes", text)


def count_not_finite(outputs: NDArray[np.float32]) -> int:
    """Return for how many rows an output is no number."""
    return int((~np.isfinite(outputs)).any(axis=1).sum())


def not_finite(bad: int, answers: int) -> Problem:
    """Outputs are numbers."""
    return Problem("numbers", f"NaN or infinite outputs in {bad} of {answers} answers")


def require_finite(outputs: NDArray[np.float32], *, path: Path) -> None:
    """Raise ArtifactError if outputs of the model at ``path`` are NaN or infinite."""
    if bad := count_not_finite(outputs):
        raise ArtifactError(f"{path}: {not_finite(bad, len(outputs)).text}")


def require_classes(outputs: NDArray[np.float32], *, path: Path) -> None:
    """Raise ArtifactError if outputs of the model at ``path`` are not (N, classes)."""
    if outputs.ndim != 2 or not outputs.shape[1]:
        raise ArtifactError(
            f"{path}: its output is {outputs.shape}; a classifier's is (batch, classes), a score for each class"
        )


def check_recorded(
    artifact: Artifact, flips: int, difference: float, step: float | None, images: int
) -> Problem | None:
    """The outputs are those of the machine that exported: no flip, one step of an int8 output, 1e-4 of a float32."""
    if flips:
        text = f"{flips} of {images} predictions are not those of the machine that exported it"
        return Problem("recorded", text)
    tolerance = step or (FLOAT32_TOLERANCE if artifact.quantization == "float32" else EIGHT_BIT_TOLERANCE)
    if difference <= tolerance * 1.001:  # the product of step and zero point is itself rounded
        return None
    text = f"outputs differ by {difference:.3g} from the machine that exported it; allowed: {tolerance:.3g}"
    return Problem("recorded", text)


def check_weights(portability: Portability) -> Problem | None:
    """The artifact answers the same on every CPU: no weights with which the integer kernels of one saturate."""
    if not portability.saturating:
        return None
    return Problem(SATURATION, f"{portability}; export it again, which gives weights of 7 bits")


def check_outputs(quantization: str, figures: Figures, *, reference_rounds: bool) -> Problem | None:
    """A float32 artifact answers as Keras does; the probabilities of a quantized one stay near.

    Both of them round, or none does: beside a Keras model that rounds as integers do, float32 is the other one.
    """
    if quantization != "float32" or reference_rounds:
        if figures.kl_mean <= MAX_MEAN_DIVERGENCE:
            return None
        text = f"its probabilities are not Keras': the mean divergence is {figures.kl_mean:.3g} nats"
        return Problem(DIVERGENCE, f"{text}, allowed: {MAX_MEAN_DIVERGENCE:g}")
    if figures.clear_changes:
        text = f"{figures.clear_changes} predictions changed though Keras' two best outputs are more than"
        return Problem("float32", f"{text} {CLEAR_MARGIN:g} apart; none may in float32")
    if figures.max_abs_error > FLOAT32_TOLERANCE:
        text = f"an output differs by {figures.max_abs_error:.3g} from Keras'; allowed in float32"
        return Problem("float32", f"{text}: {FLOAT32_TOLERANCE:g}")
    return None
