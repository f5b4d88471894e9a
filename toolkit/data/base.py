"""What every data source yields: a Dataset of two Splits, checked, with digests that hold for every container."""

import hashlib
import mmap
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from toolkit.errors import DataError
from toolkit.golden import MAX_CLASSES
from toolkit.overlap import Digests, Overlap, find, row_digest

# IDX type codes and their element types (http://yann.lecun.com/exdb/mnist, "the IDX file format").
IDX_TYPES: dict[int, np.dtype[np.generic]] = {0x08: np.dtype(">u1"), 0x0B: np.dtype(">i2"), 0x0C: np.dtype(">i4")}

# Rows that are looked at together where a whole array might not fit in memory.
CHUNK_ROWS = 1000


def idx_header(shape: tuple[int, ...], *, type_code: int = 0x08) -> bytes:
    """Return the IDX header of an array: magic number, then each dimension as a big-endian 32-bit integer."""
    return struct.pack(f">HBB{len(shape)}I", 0, type_code, len(shape), *shape)


def chunks(array: NDArray[Any], rows: int = CHUNK_ROWS) -> Iterator[NDArray[Any]]:
    """Yield the rows of an array, some at a time; pages of a mapped file leave the memory after their turn."""
    for start in range(0, len(array), rows):
        yield array[start : start + rows]
        mapped = getattr(array, "_mmap", None)
        if mapped is not None:
            mapped.madvise(mmap.MADV_DONTNEED)


def idx_sha256(array: NDArray[np.integer]) -> str:
    """Return the SHA-256 of the array's uncompressed IDX bytes; a grey channel axis of one is not part of them."""
    if array.ndim == 4 and array.shape[3] == 1:
        array = array[..., 0]
    small = array.dtype == np.uint8 or array.size == 0 or int(array.max()) <= 255
    code = 0x08 if small else 0x0C
    digest = hashlib.sha256(idx_header(array.shape, type_code=code))
    for rows in chunks(array):
        digest.update(np.ascontiguousarray(rows, dtype=IDX_TYPES[code]).data)
    return digest.hexdigest()


@dataclass(frozen=True)
class Split:
    """Images with their labels.

    images: (N, H, W, C) uint8, C is 1 or 3. labels: (N,) int64 in 0 .. classes - 1.
    """

    images: NDArray[np.uint8]
    labels: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.labels)

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
        """The digest of each image, (N,)."""
        found = b"".join(row_digest(image) for rows in chunks(self.images) for image in rows)
        return np.frombuffer(found, ">u8").astype(np.uint64)

    def rows(self, index: NDArray[np.int64] | slice) -> "Split":
        """Return some of the rows."""
        return Split(self.images[index], self.labels[index])


@dataclass(frozen=True)
class Dataset:
    """A training and a test split of one source. ``origin`` says where it was found."""

    name: str
    train: Split
    test: Split
    class_names: tuple[str, ...]
    origin: str

    @property
    def classes(self) -> int:
        """How many classes there are."""
        return len(self.class_names)

    @property
    def input_shape(self) -> tuple[int, int, int]:
        """(H, W, C) of one image."""
        height, width, channels = self.train.images.shape[1:]
        return height, width, channels

    def describe_test(self) -> dict[str, Any]:
        """Return what every result that was measured on the test split says of it."""
        return {"name": self.name, "split": "test", "n": len(self.test), "sha256": self.test.sha256}

    @cached_property
    def digests(self) -> dict[str, str]:
        """The four array digests, by name."""
        return {
            "train_images": self.train.images_sha256,
            "train_labels": self.train.labels_sha256,
            "test_images": self.test.images_sha256,
            "test_labels": self.test.labels_sha256,
        }


def shared_images(dataset: Dataset, *, training_rows: int) -> tuple[Overlap, ...]:
    """Return which of the training images (the first rows), validation images (the rest) and test images are shared."""
    digests = dataset.train.row_digests
    return find(
        {
            "training": digests[:training_rows],
            "validation": digests[training_rows:],
            "test": dataset.test.row_digests,
        }
    )


def make_dataset(
    arrays: tuple[NDArray[np.generic], NDArray[np.generic], NDArray[np.generic], NDArray[np.generic]],
    *,
    name: str,
    origin: str,
    class_names: tuple[str, ...] | None = None,
) -> Dataset:
    """Check (train images, train labels, test images, test labels) and return them as a Dataset.

    Images may lack the channel axis. Raises DataError, naming ``origin``, for a wrong type, shape or label.
    """
    train = _make_split(arrays[0], arrays[1], part="training", origin=origin)
    test = _make_split(arrays[2], arrays[3], part="test", origin=origin)
    if train.images.shape[1:] != test.images.shape[1:]:
        raise DataError(
            f"{origin}: training images are {train.images.shape[1:]} and test images {test.images.shape[1:]}; "
            "both must have one height, width and channel count"
        )
    highest = int(train.labels.max())
    if highest >= MAX_CLASSES:
        raise DataError(f"{origin}: a label is {highest}; labels are class numbers from 0, at most {MAX_CLASSES - 1}")
    counts = np.bincount(train.labels)
    if len(counts) < 2 or not counts.all():
        missing = int(np.argmin(counts)) if len(counts) > 1 else 1
        raise DataError(f"{origin}: no training image has label {missing}; labels must be 0, 1, … without a gap")
    if int(test.labels.max()) > highest:
        raise DataError(f"{origin}: a test label is {int(test.labels.max())}, the highest training label is {highest}")
    names = class_names or tuple(str(label) for label in range(len(counts)))
    return Dataset(name=name, train=train, test=test, class_names=names, origin=origin)


def stratified_split(labels: NDArray[np.int64], *, test_share: float, seed: int) -> tuple[NDArray[np.int64], ...]:
    """Return (training rows, test rows), each shuffled, with ``test_share`` of every class in the second."""
    rng = np.random.default_rng(seed)
    train: list[NDArray[np.int64]] = []
    test: list[NDArray[np.int64]] = []
    for label in np.unique(labels):
        rows = rng.permutation(np.flatnonzero(labels == label))
        cut = round(len(rows) * test_share)
        test.append(rows[:cut])
        train.append(rows[cut:])
    return rng.permutation(np.concatenate(train)), rng.permutation(np.concatenate(test))


def _make_split(images: NDArray[np.generic], labels: NDArray[np.generic], *, part: str, origin: str) -> Split:
    if images.dtype != np.uint8:
        raise DataError(f"{origin}: {part} images are {images.dtype}; pixels must be uint8, 0 to 255")
    if images.ndim == 3:
        images = images[..., np.newaxis]
    if images.ndim != 4 or images.shape[3] not in (1, 3) or 0 in images.shape:
        raise DataError(
            f"{origin}: {part} images have shape {images.shape}; "
            "allowed: (N, height, width), (N, height, width, 1) or (N, height, width, 3)"
        )
    if labels.ndim != 1 or not np.issubdtype(labels.dtype, np.integer):
        raise DataError(f"{origin}: {part} labels are {labels.dtype} {labels.shape}; they must be integers, (N,)")
    if len(images) != len(labels):
        raise DataError(f"{origin}: {len(images)} {part} images but {len(labels)} labels")
    if int(labels.min()) < 0:
        raise DataError(f"{origin}: a {part} label is {int(labels.min())}; labels are class numbers from 0")
    return Split(images.astype(np.uint8, copy=False), labels.astype(np.int64))
