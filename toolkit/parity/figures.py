"""The figures of one artifact beside the reference, from what was kept of every image and from nothing else."""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from toolkit.parity.evidence import RowFile, Rows
from toolkit.parity.statistics import TWO_SIDED_CONFIDENCE, images_to_decide, loss_bounds, mcnemar_p

# Bins of the expected calibration error (C. Guo et al., "On calibration of modern neural networks", ICML 2017).
BINS = 15
# A prediction of a float32 artifact may change if the reference's two best outputs are nearer than this.
CLEAR_MARGIN = 1e-3
# Flipped rows that a result lists; the record has them all.
LISTED_FLIPS = 1000
# What a result says of the accuracy beyond the rows at hand.
INFERENCE = ("loss_lower_pp", "loss_upper_pp", "change_ci95_pp", "mcnemar_p")

# Every figure of a result, by the name that scripts rely on.
NAMES = (
    "accuracy", "reference_accuracy", "lost", "gained", "changed", "loss_pp", *INFERENCE, "max_abs_error",
    "kl_mean_nats", "kl_max_nats", "calibration_error", "reference_calibration_error",
    "class_images", "class_accuracy", "reference_class_accuracy", "flips",
)  # fmt: skip


@dataclass(frozen=True)
class Flip:
    """An image that the artifact puts into another class than the reference."""

    index: int
    label: int
    reference: int
    candidate: int

    @property
    def kind(self) -> str:
        """``lost`` where only the reference is right, ``gained`` where only the artifact is, else ``both wrong``."""
        if self.reference == self.label:
            return "lost"
        return "gained" if self.candidate == self.label else "both wrong"


@dataclass(frozen=True)
class Figures:
    """``changed`` counts every flip, also from one wrong class to another; ``class_*`` have one entry a class."""

    n: int
    reference_correct: int
    lost: int
    gained: int
    changed: int
    clear_changes: int
    max_abs_error: float
    kl_mean: float
    kl_max: float
    calibration_error: float
    reference_calibration_error: float
    class_images: tuple[int, ...]
    class_correct: tuple[int, ...]
    reference_class_correct: tuple[int, ...]
    flips: tuple[Flip, ...]

    @property
    def accuracy(self) -> float:
        """Share of rows that the artifact gets right."""
        return (self.reference_correct - self.lost + self.gained) / self.n

    @property
    def reference_accuracy(self) -> float:
        """Share of rows that the reference gets right."""
        return self.reference_correct / self.n

    @property
    def loss_pp(self) -> float:
        """Accuracy lost, in percentage points; negative if the artifact is better."""
        return (self.lost - self.gained) / self.n * 100

    @property
    def bounds_pp(self) -> tuple[float, float]:
        """One-sided 95 % bounds of the accuracy lost, in percentage points."""
        lower, upper = loss_bounds(self.lost, self.gained, self.n)
        return lower * 100, upper * 100

    @property
    def change_ci95_pp(self) -> tuple[float, float]:
        """Two-sided 95 % interval of the change of accuracy, in percentage points; negative is worse."""
        lower, upper = loss_bounds(self.lost, self.gained, self.n, confidence=TWO_SIDED_CONFIDENCE)
        return -upper * 100, -lower * 100

    @property
    def mcnemar_p(self) -> float:
        """The exact p-value of McNemar's test."""
        return mcnemar_p(self.lost, self.gained)

    def images_to_decide(self, margin_pp: float) -> int | None:
        """Return how many rows would decide at these rates; None if no practical number does."""
        return images_to_decide(self.lost, self.gained, self.n, margin_pp / 100)

    def to_json(self, *, of_test_set: bool = True) -> dict[str, Any]:
        """Return every figure under the names that scripts rely on; inference needs a test set."""
        inference: dict[str, Any] = dict.fromkeys(INFERENCE)
        if of_test_set:
            lower, upper = self.bounds_pp
            inference = dict(zip(INFERENCE, (lower, upper, list(self.change_ci95_pp), self.mcnemar_p), strict=True))
        return {
            "accuracy": self.accuracy,
            "reference_accuracy": self.reference_accuracy,
            "lost": self.lost,
            "gained": self.gained,
            "changed": self.changed,
            "loss_pp": self.loss_pp,
            **inference,
            "max_abs_error": self.max_abs_error,
            "kl_mean_nats": self.kl_mean,
            "kl_max_nats": self.kl_max,
            "calibration_error": self.calibration_error,
            "reference_calibration_error": self.reference_calibration_error,
            "class_images": list(self.class_images),
            "class_accuracy": _shares(self.class_correct, self.class_images),
            "reference_class_accuracy": _shares(self.reference_class_correct, self.class_images),
            "flips": [asdict(flip) for flip in self.flips],
        }


def compute(reference: RowFile, candidate: RowFile, *, classes: int) -> Figures:
    """Return the figures; both tables hold the same rows in the same order."""
    counts = dict.fromkeys(("reference_correct", "lost", "gained", "changed", "clear_changes"), 0)
    images, correct, reference_correct = (np.zeros(classes, np.int64) for _ in range(3))
    calibration, reference_calibration = Reliability(), Reliability()
    kl_sum = kl_max = max_abs_error = 0.0
    flips: list[Flip] = []
    start = 0
    for reference_rows, candidate_rows in zip(reference.chunks(), candidate.chunks(), strict=True):
        label = reference_rows["label"]
        right, candidate_right = reference_rows["prediction"] == label, candidate_rows["prediction"] == label
        changed = reference_rows["prediction"] != candidate_rows["prediction"]
        counts["reference_correct"] += int(right.sum())
        counts["lost"] += int((right & ~candidate_right).sum())
        counts["gained"] += int((~right & candidate_right).sum())
        counts["changed"] += int(changed.sum())
        counts["clear_changes"] += int((changed & (reference_rows["margin"] > CLEAR_MARGIN)).sum())
        images += np.bincount(label, minlength=classes)
        correct += np.bincount(label[candidate_right], minlength=classes)
        reference_correct += np.bincount(label[right], minlength=classes)
        calibration.add(candidate_rows["confidence"], candidate_right)
        reference_calibration.add(reference_rows["confidence"], right)
        kl_sum += _sum(candidate_rows["kl"])
        kl_max = max(kl_max, float(candidate_rows["kl"].max()))
        max_abs_error = max(max_abs_error, float(candidate_rows["difference"].max()))
        flips += _flips(reference_rows, candidate_rows, np.flatnonzero(changed)[: LISTED_FLIPS - len(flips)], start)
        start += len(label)
    return Figures(
        n=start,
        **counts,
        max_abs_error=max_abs_error,
        kl_mean=kl_sum / start,
        kl_max=kl_max,
        calibration_error=calibration.error(),
        reference_calibration_error=reference_calibration.error(),
        class_images=tuple(images.tolist()),
        class_correct=tuple(correct.tolist()),
        reference_class_correct=tuple(reference_correct.tolist()),
        flips=tuple(flips),
    )


class Reliability:
    """The expected calibration error: the mean gap of confidence and accuracy over bins of equal width.

    images, right: how many rows are in each bin, and how many of those are right; confidence: the sum of theirs.
    """

    def __init__(self) -> None:
        self.images, self.right, self.confidence = np.zeros(BINS), np.zeros(BINS), np.zeros(BINS)

    def add(self, confidence: NDArray[np.float32], right: NDArray[np.bool_]) -> None:
        """Count rows by the confidence of their answer. right: whether that is right."""
        bins = np.clip((confidence * np.float32(BINS)).astype(np.int64), 0, BINS - 1)
        self.images += np.bincount(bins, minlength=BINS)
        self.right += np.bincount(bins[right], minlength=BINS)
        self.confidence += np.bincount(bins, weights=confidence, minlength=BINS)

    def error(self) -> float:
        """Return the expected calibration error."""
        gaps: list[float] = np.abs(self.right - self.confidence).tolist()
        return sum(gaps) / int(self.images.sum())


def _sum(values: NDArray[np.float32]) -> float:
    """Add in order, in float64: bincount has no vectorized sum whose order depends on the CPU."""
    return float(np.bincount(np.zeros(len(values), np.int64), weights=values)[0])


def _flips(reference: Rows, candidate: Rows, rows: NDArray[np.int64], start: int) -> list[Flip]:
    columns = (reference["label"][rows], reference["prediction"][rows], candidate["prediction"][rows])
    return [
        Flip(start + row, label, reference, candidate)
        for row, label, reference, candidate in zip(rows.tolist(), *(c.tolist() for c in columns), strict=True)
    ]


def _shares(correct: tuple[int, ...], images: tuple[int, ...]) -> list[float | None]:
    return [right / count if count else None for right, count in zip(correct, images, strict=True)]
