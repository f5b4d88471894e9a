"""Parts of the JSON documents of this project, read by ``toolkit.files.documents``.

others: fields of a document that nothing here reads; they are kept when it is written again.
"""

from dataclasses import dataclass, field
from typing import Any

from toolkit import units
from toolkit.files import FileName
from toolkit.files.documents import LATER
from toolkit.overlap import Overlap, RowDigest
from toolkit.reading import AS_THEY_ARE, Reading
from toolkit.verdict import Verdict

# What a manifest says of ranges that no images were needed for.
TRAINED = "trained"


@dataclass(frozen=True)
class ListedFile:
    """A file beside the manifest."""

    path: FileName
    sha256: str


@dataclass(frozen=True)
class CountedFile(ListedFile):
    """A file beside the manifest with a row for each of ``n`` images."""

    n: int


@dataclass(frozen=True)
class NoveltyFile(ListedFile):
    """The score of images of none of the classes: theirs is above ``threshold``.

    n: the images of the classes that the threshold was set by; a share of ``false_alarms`` of them lies above it. part:
    what they are of, "validation" or "training".
    """

    threshold: float
    false_alarms: float
    n: int
    part: str


@dataclass(frozen=True)
class TrainingData:
    """The data that a model was trained on. rows: where the digests of its images are kept. reading: how they
    were read.
    """

    name: str
    classes: tuple[str, ...]
    digests: dict[str, str]
    overlap: tuple[Overlap, ...]
    rows: CountedFile | None
    reading: Reading = field(default=AS_THEY_ARE, metadata=LATER)


@dataclass(frozen=True)
class EvaluationSet:
    """The images that a figure was measured on. overlap: which of them the model has learned from."""

    name: str
    overlap: tuple[Overlap, ...]
    others: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class RecordedRecipe:
    """How a model was trained: ``toolkit.training.recipe.Recipe``, whatever it allows today."""

    model: str
    optimizer: str
    learning_rate: float
    activation: str
    loss: str
    epochs: int
    batch_size: int
    validation_split: float
    monitor: str
    seed: int
    precision: str
    augment: str | None = field(default=None, metadata=LATER)
    balance: bool = field(default=False, metadata=LATER)
    others: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not 0 <= self.validation_split < 1:
            raise ValueError(f"a validation split of {self.validation_split} is no share of rows")


@dataclass(frozen=True)
class Metrics:
    """What a training came to. dataset: what the test accuracy was measured on.

    test_accuracy: None of a run that left the test set closed.
    """

    epochs_run: int
    best_epoch: int
    monitor: str
    best_value: float
    test_accuracy: float | None
    dataset: EvaluationSet | None = field(default=None, metadata=LATER)
    others: dict[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        accuracy = "not measured" if self.test_accuracy is None else units.percent(self.test_accuracy)
        marked = units.marked(accuracy, overlap=self.dataset.overlap if self.dataset else ())
        return (
            f"{units.count(self.epochs_run, 'epoch')}; the weights are those of epoch {self.best_epoch}, the best by "
            f"{self.monitor} ({self.best_value:.4f}); test accuracy {marked}"
        )


@dataclass(frozen=True)
class Origin:
    """What a model was exported from. run: the name of its folder; None for a file of its own."""

    run: FileName | None
    file: FileName
    sha256: str
    metrics: Metrics | None = None


@dataclass(frozen=True)
class CalibrationRows:
    """The training images that integer ranges were taken from. row_sha256_16: the digest of each.

    ranges: "calibrated", or "trained" where the model brought its ranges; then the images only proved the export.
    """

    data: str
    n: int
    seed: int
    rows: tuple[int, ...]
    row_sha256_16: tuple[RowDigest, ...]
    ranges: str = field(default="calibrated", metadata=LATER)

    @property
    def is_trained(self) -> bool:
        """Whether the ranges are those that the model was trained with."""
        return self.ranges == TRAINED


@dataclass(frozen=True)
class MeasuredOn:
    """Where a figure was measured, by what decides about it: the CPU, its kernel class, the runtime and its version.

    kernels: ``Host.kernels`` of that machine, None if its system did not tell.
    """

    cpu: str
    kernels: str | None
    runtime: str


@dataclass(frozen=True)
class Verification:
    """What ``toolkit verify --save`` came to. The accuracies and counts are None if none were measured."""

    verdict: Verdict
    accuracy: float | None
    reference_accuracy: float | None
    lost: int | None
    gained: int | None
    n: int
    margin_pp: float
    dataset: EvaluationSet
    measured_on: MeasuredOn | None = field(default=None, metadata=LATER)
    others: dict[str, Any] = field(default_factory=dict)
