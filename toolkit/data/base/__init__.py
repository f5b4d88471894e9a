"""What every data source yields: a Dataset of Splits, checked, with digests that hold for every container."""

import hashlib
import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from toolkit.data.base import labels as class_labels
from toolkit.data.base.pixels import as_pixels, chunks, gathered
from toolkit.errors import DataError
from toolkit.overlap import Digests, row_digest
from toolkit.reading import AS_THEY_ARE, Reading

# IDX type codes and their element types (http://yann.lecun.com/exdb/mnist, "the IDX file format").
IDX_TYPES: dict[int, np.dtype[np.generic]] = {0x08: np.dtype(">u1"), 0x0B: np.dtype(">i2"), 0x0C: np.dtype(">i4")}
_IDX_FLOAT: tuple[int, np.dtype[np.generic]] = (0x0D, np.dtype(">f4"))
# How data without a test split are divided.
TEST_SHARE, SPLIT_SEED = 0.2, 0

# Rows and labels of the part of a data set that a name stands for: "training", "validation", "test".
Arrays = Mapping[str, tuple[NDArray[Any], NDArray[Any]]]
# Makes of the arrays of each part what a Split holds, and says what is to be said of it.
Conversion = Callable[..., tuple[dict[str, NDArray[Any]], tuple[str, ...]]]


def idx_header(shape: tuple[int, ...], *, type_code: int = 0x08) -> bytes:
    """Return the IDX header of an array: magic number, then each dimension as a big-endian 32-bit integer."""
    return struct.pack(f">HBB{len(shape)}I", 0, type_code, len(shape), *shape)


def idx_sha256(array: NDArray[Any]) -> str:
    """Return the SHA-256 of the array's uncompressed IDX bytes; a grey channel axis of one is not part of them."""
    if array.ndim == 4 and array.shape[3] == 1:
        array = array[..., 0]
    if array.dtype.kind == "f":
        code, dtype = _IDX_FLOAT
    else:
        small = array.dtype == np.uint8 or array.size == 0 or int(array.max()) <= 255
        code = 0x08 if small else 0x0C
        dtype = IDX_TYPES[code]
    digest = hashlib.sha256(idx_header(array.shape, type_code=code))
    for rows in chunks(array):
        digest.update(np.ascontiguousarray(rows, dtype=dtype).data)
    return digest.hexdigest()


@dataclass(frozen=True)
class Split:
    """Rows of data with their labels.

    images: pixels (N, H, W, C) uint8, C is 1 or 3; or values (N, …) float32, of a table, of sensors or of sound.
    labels: (N,) int64 in 0 .. classes - 1. groups: (N,), which rows are of one recording and stay together if the split
    is divided; None if they are of none.
    """

    images: NDArray[Any]
    labels: NDArray[np.int64]
    groups: NDArray[Any] | None = None

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def is_pixels(self) -> bool:
        """Whether the rows are images."""
        return self.images.dtype == np.uint8

    @cached_property
    def images_sha256(self) -> str:
        """SHA-256 of the images' IDX bytes."""
        return idx_sha256(self.images)

    @cached_property
    def labels_sha256(self) -> str:
        """SHA-256 of the labels' IDX bytes."""
        return idx_sha256(self.labels)

    @property
    def sha256(self) -> str:
        """One digest of both arrays: the SHA-256 of their two digests."""
        return hashlib.sha256((self.images_sha256 + self.labels_sha256).encode()).hexdigest()

    @cached_property
    def row_digests(self) -> Digests:
        """The digest of each row, (N,)."""
        digests = b"".join(row_digest(image) for rows in chunks(self.images) for image in rows)
        return np.frombuffer(digests, ">u8").astype(np.uint64)

    def rows(self, index: NDArray[np.int64] | slice) -> "Split":
        """Return some of the rows: those of a slice as a view, those of numbers as a copy."""
        groups = None if self.groups is None else self.groups[index]
        images = self.images[index] if isinstance(index, slice) else gathered(self.images, index)
        return Split(images, self.labels[index], groups)


@dataclass(frozen=True)
class RowSubset:
    """Rows of a split, by their numbers, (N,): gathered when they are asked for, since all might not fit in memory."""

    split: Split
    numbers: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.numbers)

    def rows(self, index: NDArray[np.int64] | slice) -> Split:
        """Return some of them."""
        return self.split.rows(self.numbers[index])


@dataclass(frozen=True)
class Dataset:
    """A training and a test split of one source, and a validation split if the source has one.

    origin: where it was found. reading: how. notes: what was left out or changed on the way, or is conspicuous.
    """

    name: str
    train: Split
    test: Split
    class_names: tuple[str, ...]
    origin: str
    validation: Split | None = None
    reading: Reading = AS_THEY_ARE
    notes: tuple[str, ...] = ()

    @property
    def classes(self) -> int:
        """How many classes there are."""
        return len(self.class_names)

    @property
    def input_shape(self) -> tuple[int, ...]:
        """The shape of one row: (H, W, C) of an image."""
        return self.train.images.shape[1:]

    @property
    def is_pixels(self) -> bool:
        """Whether the rows are images."""
        return self.train.is_pixels

    @property
    def noun(self) -> str:
        """What a row is called in a sentence."""
        return "image" if self.is_pixels else "row"

    @property
    def rows_are(self) -> str:
        """What the rows are, for a line: ``images of 28×28×1``, ``rows of 4 values``."""
        sizes = "×".join(str(size) for size in self.input_shape)
        return f"{self.noun}s of {sizes}{'' if self.is_pixels else ' values'}"

    @property
    def splits(self) -> dict[str, Split]:
        """The splits, by name; validation only if the source has it."""
        held_out = {} if self.validation is None else {"validation": self.validation}
        return {"train": self.train, **held_out, "test": self.test}

    @property
    def counts(self) -> str:
        """How many rows the splits have, for a line: ``48 + 6 + 6``."""
        return " + ".join(str(len(split)) for split in self.splits.values())

    @property
    def summary(self) -> str:
        """What a training learns from, in a line."""
        return f"data: {self.name} ({self.origin}), {self.counts} {self.noun}s"

    def to_json(self) -> dict[str, Any]:
        """Return the result of ``toolkit data --json``."""
        return {
            "source": self.name,
            "path": str(Path(self.origin)),
            **{part: len(split) for part, split in self.splits.items()},
            "input_shape": list(self.input_shape),
            "classes": list(self.class_names),
            "digests": self.digests,
            "warnings": list(self.notes),
        }

    def describe_test(self) -> dict[str, Any]:
        """Return what every result that was measured on the test split says of it."""
        return {"name": self.name, "split": "test", "n": len(self.test), "sha256": self.test.sha256}

    @cached_property
    def digests(self) -> dict[str, str]:
        """The digests of the arrays of all splits, by name."""
        digests: dict[str, str] = {}
        for name, split in self.splits.items():
            digests |= {f"{name}_images": split.images_sha256, f"{name}_labels": split.labels_sha256}
        return digests

    @property
    def learned_digests(self) -> Digests:
        """The digest of each image that a model learns from or is chosen by: of training, then of validation."""
        return np.concatenate([split.row_digests for name, split in self.splits.items() if name != "test"])


def make_dataset(
    arrays: tuple[NDArray[Any], NDArray[Any], NDArray[Any], NDArray[Any]] | tuple[NDArray[Any], NDArray[Any]],
    *,
    name: str,
    origin: str,
    validation: tuple[NDArray[Any], NDArray[Any]] | None = None,
    class_names: tuple[str, ...] | None = None,
    reading: Reading = AS_THEY_ARE,
    notes: tuple[str, ...] = (),
    conversion: Conversion = as_pixels,
    groups: NDArray[Any] | None = None,
) -> Dataset:
    """Check (train images, train labels, test images, test labels) and return them as a Dataset.

    Without the last two a fifth of every class is the test part, by a fixed seed; equal rows are in one part.
    class_names: of the labels, which are their numbers then; None stands for what the labels say. Images may lack the
    channel axis. conversion: ``as_pixels``, or ``as_values`` for rows that are no images. groups: of the training rows,
    as a Split has them. Raises DataError, naming ``origin``, for a wrong type, shape or label.
    """
    parts: Arrays = {
        "training": arrays[:2],
        **({} if validation is None else {"validation": validation}),
        **({"test": arrays[2:]} if len(arrays) == 4 else {}),
    }
    images, scaled = conversion({part: rows for part, (rows, _) in parts.items()}, origin=origin)
    for part, (_, given) in parts.items():
        if given.ndim and len(given) != len(images[part]):
            raise DataError(f"{origin}: {len(images[part])} {part} images but {len(given)} labels")
        if images[part].shape[1:] != images["training"].shape[1:]:
            raise DataError(
                f"{origin}: training images are {images['training'].shape[1:]} and {part} images "
                f"{images[part].shape[1:]}; all must have one shape"
            )
    labels = {part: given for part, (_, given) in parts.items()}
    if class_names is None:
        labels, class_names, mapped = class_labels.as_classes(labels, origin=origin)
        notes = (*notes, *mapped)
    else:
        class_labels.require_all(labels["training"], class_names, origin=origin)
    splits = {part: Split(images[part], labels[part], groups if part == "training" else None) for part in parts}
    if "test" not in splits:
        splits |= _divided(splits["training"], origin=origin)
    return Dataset(
        name=name,
        train=splits["training"],
        test=splits["test"],
        class_names=class_names,
        origin=origin,
        validation=splits.get("validation"),
        reading=reading,
        notes=(*notes, *scaled),
    )


def _divided(whole: Split, *, origin: str) -> dict[str, Split]:
    training, test = grouped_split(whole.labels, whole.row_digests)
    if not len(test):
        raise DataError(f"{origin}: too few rows to test with; give test rows, or two of a class")
    return {"training": whole.rows(training), "test": whole.rows(test)}


def stratified_split(
    labels: NDArray[np.int64], *, test_share: float = TEST_SHARE, seed: int = SPLIT_SEED
) -> tuple[NDArray[np.int64], ...]:
    """Return (training rows, test rows), each shuffled, with ``test_share`` of every class in the second.

    A class of two rows or more has at least one in each; the row of a class of one is a training row.
    """
    rng = np.random.default_rng(seed)
    train: list[NDArray[np.int64]] = []
    test: list[NDArray[np.int64]] = []
    for label in np.unique(labels):
        rows = rng.permutation(np.flatnonzero(labels == label))
        cut = min(max(1, round(len(rows) * test_share)), len(rows) - 1)
        test.append(rows[:cut])
        train.append(rows[cut:])
    return rng.permutation(np.concatenate(train)), rng.permutation(np.concatenate(test))


def grouped_split(
    labels: NDArray[np.int64], groups: NDArray[Any], *, test_share: float = TEST_SHARE, seed: int = SPLIT_SEED
) -> tuple[NDArray[np.int64], ...]:
    """Return (training rows, test rows) as ``stratified_split`` does, of whole groups: none falls in two parts.

    groups: (N,), of each row. A group counts as one, of the class of its first row.
    """
    names, first = np.unique(groups, return_index=True)
    parts = stratified_split(labels[first], test_share=test_share, seed=seed)
    rng = np.random.default_rng(seed)
    return tuple(rng.permutation(np.flatnonzero(np.isin(groups, names[part]))) for part in parts)
