"""What the JSON documents of this project must have, part by part: what several of them share."""

import re
from typing import Any, NotRequired, TypedDict

from toolkit.files import FileName
from toolkit.verdict import Verdict


class RowDigest(str):
    """``toolkit.overlap.row_digest`` in hexadecimal; ValueError for what is none."""

    __slots__ = ()

    def __new__(cls, digits: str) -> "RowDigest":
        """Check and make it."""
        if not re.fullmatch("[0-9a-f]{16}", digits):
            raise ValueError(f"{digits!r} is not 16 hexadecimal digits")
        return super().__new__(cls, digits)


class FileEntry(TypedDict):
    """A file beside the manifest."""

    path: FileName
    sha256: str


class CountedEntry(FileEntry):
    """A file beside the manifest with a row for each of ``n`` images."""

    n: int


class OverlapEntry(TypedDict):
    """``toolkit.overlap.Overlap`` as a document."""

    part: str
    other: str
    count: int


class DataEntry(TypedDict):
    """The data that the model was trained on. rows: where the digests of its images are kept. reading: how
    they were read, a ``toolkit.reading.Reading`` as a document."""

    name: str
    classes: list[str]
    digests: dict[str, str]
    overlap: NotRequired[list[OverlapEntry]]
    rows: NotRequired[CountedEntry | None]
    reading: NotRequired[dict[str, Any]]


class DatasetEntry(TypedDict):
    """The images that a figure was measured on."""

    name: str
    overlap: NotRequired[list[OverlapEntry]]


class RecipeEntry(TypedDict):
    """How a model was trained, as far as it matters afterwards."""

    model: str
    epochs: int
    validation_split: float
    seed: NotRequired[int]


class MetricsEntry(TypedDict):
    """What a training came to."""

    epochs_run: int
    best_epoch: int
    monitor: str
    best_value: float
    test_accuracy: float
    dataset: NotRequired[DatasetEntry]


class SourceEntry(TypedDict):
    """What the model was exported from. run: the name of its folder; None for a file of its own."""

    run: FileName | None
    file: FileName
    sha256: str
    metrics: NotRequired[MetricsEntry | None]


class CalibrationEntry(TypedDict):
    """The training images that integer ranges were taken from. row_sha256_16: the digest of each."""

    data: NotRequired[str]
    n: int
    seed: int
    rows: NotRequired[list[int]]
    row_sha256_16: list[RowDigest]


class MeasuredOnEntry(TypedDict):
    """``MeasuredOn`` as a document."""

    cpu: str
    kernels: str | None
    runtime: str


class VerifiedEntry(TypedDict):
    """What ``toolkit verify --save`` came to."""

    verdict: Verdict
    accuracy: NotRequired[float | None]
    n: NotRequired[int]
    reference_accuracy: NotRequired[float | None]
    lost: NotRequired[int | None]
    gained: NotRequired[int | None]
    margin_pp: NotRequired[float]
    dataset: NotRequired[DatasetEntry]
    measured_on: NotRequired[MeasuredOnEntry | None]


class AccuracyEntry(TypedDict):
    """What a ``VerifiedEntry`` must have to be shown with its accuracy."""

    verdict: Verdict
    accuracy: float

    n: int
    reference_accuracy: float
    lost: int
    gained: int
    margin_pp: float
    dataset: DatasetEntry
