"""Rows that two sets share: on test rows that it has learned from, a model shows memory, not accuracy."""

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, TypedDict, cast

import numpy as np
from numpy.typing import NDArray

from toolkit.errors import DataError

# Bytes of a row's SHA-256 that are kept: by chance two of a million rows share them once in 40 million data sets.
DIGEST_BYTES = 8
# How many of the shared rows a message names.
NAMED_ROWS = 5

Digests = NDArray[np.uint64]


class RowDigest(str):
    """``row_digest`` in hexadecimal; ValueError for what is none."""

    __slots__ = ()

    def __new__(cls, digits: str) -> "RowDigest":
        """Check and make it."""
        if not re.fullmatch("[0-9a-f]{16}", digits):
            raise ValueError(f"{digits!r} is not 16 hexadecimal digits")
        return super().__new__(cls, digits)


class OverlapEntry(TypedDict):
    """What a document of a study has of an ``Overlap``."""

    part: str
    other: str
    count: int


@dataclass(frozen=True)
class Overlap:
    """``count`` of the ``rows`` rows of ``part`` are in ``other`` as well; ``first`` are the first of them."""

    part: str
    other: str
    count: int
    rows: int
    first: tuple[int, ...]

    def sentence(self, noun: str) -> str:
        """Say so. noun: what a row is called, ``image``."""
        named = ", ".join(map(str, self.first)) + (", …" if self.count > len(self.first) else "")
        return f"{self.count:,} of the {self.rows:,} {self.part} {noun}s are {self.other} {noun}s too (rows {named})"

    def to_json(self) -> OverlapEntry:
        """Return what results, manifests and records say of it."""
        return cast("OverlapEntry", asdict(self))


def row_digest(row: NDArray[Any]) -> bytes:
    """Return the first bytes of the SHA-256 of a row's pixels or values."""
    return hashlib.sha256(np.ascontiguousarray(row).data).digest()[:DIGEST_BYTES]


def from_hex(digests: Sequence[str]) -> Digests:
    """Return digests that a manifest holds in hexadecimal."""
    return np.array([int(digest, 16) for digest in digests], np.uint64)


def find(parts: Mapping[str, Digests]) -> tuple[Overlap, ...]:
    """Compare every part, by its name, with those named before it: (rows,) digests each."""
    overlaps = []
    names = list(parts)
    for position, part in enumerate(names):
        for other in names[:position]:
            shared = np.flatnonzero(np.isin(parts[part], parts[other]))
            if len(shared):
                first = tuple(int(row) for row in shared[:NAMED_ROWS])
                overlaps.append(Overlap(part, other, len(shared), len(parts[part]), first))
    return tuple(overlaps)


def refuse(overlaps: tuple[Overlap, ...], *, what: str, noun: str, allowed: bool, instead: str = "") -> None:
    """Raise DataError if there is an overlap that was not allowed.

    what: names the data set. noun: what a row is called. instead: what else can be done about it, as part of a
    sentence.
    """
    if overlaps and not allowed:
        raise DataError(
            f"{what}: {'; '.join(overlap.sentence(noun) for overlap in overlaps)}. What is measured on {noun}s that a "
            f"model learned from is not its accuracy; use other data, {instead}or --allow-overlap to go on with every "
            "figure marked"
        )
