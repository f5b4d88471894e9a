"""Hold one artifact's outputs against the reference's, image by image, and judge."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from toolkit.errors import ArtifactError
from toolkit.manifest import Artifact, Manifest
from toolkit.parity.statistics import DEFAULT_MARGIN_PP, loss_bounds
from toolkit.runtimes import for_file, open_session

PASS, FAIL, INCONCLUSIVE = "pass", "fail", "inconclusive"
# Largest difference between two machines' outputs of one float32 artifact (sums in another order).
FLOAT32_TOLERANCE = 1e-4
# The same for the other artifacts that answer in float: one step of an 8-bit probability.
EIGHT_BIT_TOLERANCE = 1 / 256


@dataclass(frozen=True)
class Comparison:
    """One artifact beside the reference. ``problem`` says why it fails whatever its accuracy."""

    artifact: str
    runtime: str
    format: str
    quantization: str
    margin_pp: float
    n: int
    reference_correct: int | None = None
    lost: int | None = None
    gained: int | None = None
    max_abs_error: float | None = None
    problem: str | None = None
    by_golden: bool = False

    @property
    def accuracy(self) -> float | None:
        """Share of images that the artifact gets right."""
        if self.reference_correct is None or self.lost is None or self.gained is None:
            return None
        return (self.reference_correct - self.lost + self.gained) / self.n

    @property
    def reference_accuracy(self) -> float | None:
        """Share of images that the reference gets right."""
        return None if self.reference_correct is None else self.reference_correct / self.n

    @property
    def loss_pp(self) -> float | None:
        """Accuracy lost, in percentage points; negative where the artifact is better."""
        return None if self.lost is None or self.gained is None else (self.lost - self.gained) / self.n * 100

    @property
    def loss_bounds_pp(self) -> tuple[float, float] | None:
        """One-sided 95 % bounds of the accuracy lost, in percentage points."""
        if self.lost is None or self.gained is None:
            return None
        lower, upper = loss_bounds(self.lost, self.gained, self.n)
        return lower * 100, upper * 100

    @property
    def verdict(self) -> str:
        """Non-inferiority: pass where the loss is surely within the margin, fail where it surely is not.

        By golden there are too few images to speak of accuracy: no problem is a pass.
        """
        bounds = self.loss_bounds_pp
        if self.problem is not None or bounds is None:
            return FAIL
        if self.by_golden:
            return PASS
        if bounds[1] <= self.margin_pp:
            return PASS
        return FAIL if bounds[0] > self.margin_pp else INCONCLUSIVE

    def to_json(self) -> dict[str, Any]:
        """Return the result that scripts rely on."""
        bounds = self.loss_bounds_pp
        return {
            "artifact": self.artifact,
            "runtime": self.runtime,
            "format": self.format,
            "quantization": self.quantization,
            "n": self.n,
            "accuracy": self.accuracy,
            "reference_accuracy": self.reference_accuracy,
            "lost": self.lost,
            "gained": self.gained,
            "loss_pp": self.loss_pp,
            "loss_upper_pp": bounds[1] if bounds else None,
            "margin_pp": self.margin_pp,
            "max_abs_error": self.max_abs_error,
            "verdict": self.verdict,
            "problem": self.problem,
        }


def overall(comparisons: list[Comparison]) -> str:
    """Return the worst verdict."""
    verdicts = {comparison.verdict for comparison in comparisons}
    return next(verdict for verdict in (FAIL, INCONCLUSIVE, PASS) if verdict in verdicts)


def compare(
    manifest: Manifest,
    artifact: Artifact,
    *,
    images: NDArray[np.uint8],
    labels: NDArray[np.int64],
    reference: NDArray[np.float32],
    margin_pp: float = DEFAULT_MARGIN_PP,
    threads: int = 0,
    recorded: NDArray[np.float32] | None = None,
) -> Comparison:
    """Run ``artifact`` over ``images`` and compare with the outputs of ``reference``, (N, classes) float32.

    ``recorded``, the outputs of this very artifact on the machine that exported it, makes it a comparison by golden.
    """
    path = manifest.folder / artifact.path
    outputs: NDArray[np.float32] | None = None
    problem = manifest.check_digest(artifact)
    if problem is None:
        try:
            outputs = open_session(path, threads=threads).predict(images)
        except ArtifactError as error:
            problem = str(error)
    if outputs is not None:
        problem = _malformed(outputs, reference.shape)
        if problem is None and recorded is not None:
            problem = _differs_from_recorded(outputs, recorded, artifact)
    usable = outputs is not None and outputs.shape == reference.shape and bool(np.isfinite(outputs).all())
    figures: dict[str, Any] = {}
    if usable and outputs is not None:
        right, candidate_right = reference.argmax(axis=1) == labels, outputs.argmax(axis=1) == labels
        figures = {
            "reference_correct": int(right.sum()),
            "lost": int((right & ~candidate_right).sum()),
            "gained": int((~right & candidate_right).sum()),
            "max_abs_error": float(np.abs(outputs - reference).max()),
        }
    return Comparison(
        artifact=str(path),
        runtime=for_file(path),
        format=artifact.format,
        quantization=artifact.quantization,
        margin_pp=margin_pp,
        n=len(labels),
        problem=problem,
        by_golden=recorded is not None,
        **figures,
    )


def _malformed(outputs: NDArray[np.float32], expected: tuple[int, ...]) -> str | None:
    """Return why the outputs cannot be those of the reference's classifier, or None."""
    if outputs.shape != expected:
        return f"its outputs are {outputs.shape}, the reference's {expected}: not the same classes"
    bad = int((~np.isfinite(outputs)).any(axis=1).sum())
    return f"NaN or infinite outputs for {bad} of {len(outputs)} images" if bad else None


def _differs_from_recorded(
    outputs: NDArray[np.float32], recorded: NDArray[np.float32], artifact: Artifact
) -> str | None:
    """Return how the outputs here differ from those on the machine that exported, or None where they agree."""
    flips = int((outputs.argmax(axis=1) != recorded.argmax(axis=1)).sum())
    if flips:
        return f"{flips} of {len(outputs)} predictions are not those of the machine that exported it"
    step = artifact.outputs[0].scale
    tolerance = step or (FLOAT32_TOLERANCE if artifact.quantization == "float32" else EIGHT_BIT_TOLERANCE)
    difference = float(np.abs(outputs - recorded).max())
    if difference > tolerance * 1.001:  # the product of step and zero point is itself rounded
        return f"outputs differ by {difference:.3g} from the machine that exported it; allowed: {tolerance:.3g}"
    return None
