"""Images of none of the classes: a score of how little an image resembles those of the class that a model gives it.

A classifier answers with one of its classes whatever it is shown. An image is described by its edges: how strong those
of each direction are in each part of it. The score is the squared distance from the subspace that the training images
of the answered class lie in, a mean and a few principal components. It takes pixels and the answer, and no layer of the
model.

S. Wold, Pattern Recognition by Means of Disjoint Principal Components Models, Pattern Recognition 8 (1976), 127-139.
C.-L. Liu et al., Handwritten Digit Recognition: Benchmarking of State-of-the-Art Techniques, Pattern Recognition 36
(2003), 2271-2285, section 3.2: the directions of gradients, and the square root of their strength.
"""

import functools
from collections.abc import Sequence
from dataclasses import dataclass, fields
from math import ceil
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from toolkit.errors import ArtifactError
from toolkit.files import atomic
from toolkit.files.arrays import Expected, opened_npz
from toolkit.manifest import Manifest

NOVELTY = "novelty.npz"
# The share of images of the classes that may be called none of them.
FALSE_ALARMS = 0.01
# Of fewer images, none need be above the threshold (see ``threshold``).
LEAST_ROWS = 99
# Blocks along a side of an image at most, and directions of edges. 4 to 7 blocks, 8 to 16 directions and 8 to 40
# principal components of a class were tried on letters and shapes beside MNIST's validation images: all tell much the
# same. 14 × 14 grey levels told 43 % of the drawn letters, these 73 %.
BLOCKS, DIRECTIONS = 5, 8
COMPONENTS = 24
# What a file keeps, in values of two bytes: of many classes fewer components, then fewer blocks.
MOST_VALUES = 100_000
# A look has e^-SHARPNESS times the weight of another whose score is lower by the threshold. 1.5 to 3 were tried on
# digits that are turned (toolkit/digits/form.py).
SHARPNESS = 2.5
# Where images of a class are all alike, the threshold may be 0.
LEAST_THRESHOLD = 1e-9
# An edge lies between two pixels.
LEAST_SIDE = 2
# Images whose edges are taken at a time: a photo's pixels become four bytes each, several times over.
CHUNK = 16


@dataclass(frozen=True)
class Judgement:
    """How little an image resembles the class that a model gives it; above the threshold, it is of none of them."""

    score: float
    threshold: float

    @property
    def none_of_these(self) -> bool:
        """Whether the image is of none of the classes."""
        return self.score > self.threshold


@dataclass(frozen=True)
class Novelty:
    """What images of each class look like, as ``novelty.npz`` keeps it.

    rows, columns: where the blocks of an image begin, in pixels. means: (classes, F) float16, of the blocks' edges, F =
    rows × columns × channels × DIRECTIONS. components: (classes, F, K) float16, of length 1 and at right angles.
    """

    rows: NDArray[np.int64]
    columns: NDArray[np.int64]
    means: NDArray[np.float16]
    components: NDArray[np.float16]

    def scores(self, images: NDArray[np.uint8], probabilities: NDArray[np.float32]) -> NDArray[np.float64]:
        """Return (N,) scores of images, (N, H, W, C), for which a model answers (N, classes)."""
        answers = probabilities.argmax(axis=1)
        edges = _edges(images, self.rows, self.columns)
        scores = np.zeros(len(images))
        means, components = self._wide
        for label in {*answers.tolist()}:
            away = edges[answers == label] - means[label]
            along = away @ components[label]
            scores[answers == label] = (away**2).sum(axis=1) - (along**2).sum(axis=1)
        return scores

    @functools.cached_property
    def _wide(self) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """The means and the components as they are computed with."""
        return self.means.astype(np.float32), self.components.astype(np.float32)

    def write(self, path: Path) -> None:
        """Write the file atomically; the same content gives the same bytes."""
        arrays = {one.name: getattr(self, one.name) for one in fields(self)}
        with atomic(path) as temporary:
            np.savez_compressed(temporary, **arrays)


def read(path: Path) -> Novelty:
    """Read a file; ArtifactError if it is missing, damaged or none."""
    with opened_npz(path, what="a score for none of the classes") as arrays:
        rows, columns = (arrays.read(name, Expected(("int64",), (None,))) for name in ("rows", "columns"))
        means = arrays.read("means", Expected(("float16",), (None, None)))
        components = arrays.read("components", Expected(("float16",), (*means.shape, None)))
        blocks = len(rows) * len(columns)
        if (
            not blocks
            or means.shape[1] % blocks
            or any(side[0] or (np.diff(side) <= 0).any() for side in (rows, columns))
        ):
            raise ValueError("its blocks are none of an image")
        if not (np.isfinite(means).all() and np.isfinite(components).all()):
            raise ValueError("it holds what is no number")
        return Novelty(rows, columns, means, components)


def fit(images: NDArray[np.uint8], labels: NDArray[np.int64], *, classes: int) -> Novelty:
    """Learn what images (N, H, W, C) of each class look like: no side under LEAST_SIDE, and one at least of each."""
    height, width, channels = images.shape[1:]
    most = max(1, min(BLOCKS, int((MOST_VALUES / (classes * channels * DIRECTIONS)) ** 0.5)))
    rows, columns = _starts(height, most), _starts(width, most)
    edges = _edges(images, rows, columns)
    size = edges.shape[1]
    kept = max(0, min(COMPONENTS, MOST_VALUES // (classes * size) - 1, size - 1))
    means, components = np.zeros((classes, size), np.float16), np.zeros((classes, size, kept), np.float16)
    for label in range(classes):
        own = edges[labels == label]
        away = own - (mean := own.mean(axis=0))
        _, directions = np.linalg.eigh(away.T @ away / len(away))
        means[label] = mean
        components[label] = directions[:, size - kept :]
    return Novelty(rows, columns, means, components)


def threshold(scores: NDArray[np.float64]) -> float:
    """Return the threshold that another image of the same kind exceeds with a probability of at most FALSE_ALARMS.

    scores: of at least LEAST_ROWS images that nothing was learned from (V. Vovk, A. Gammerman, G. Shafer, Algorithmic
    Learning in a Random World, 2005, chapter 4: split conformal prediction).
    """
    place = ceil((1 - FALSE_ALARMS) * (len(scores) + 1) - 1e-9)
    return float(np.sort(scores)[place - 1])


class Judge:
    """Judges by the score of a manifest whether images are of none of the classes.

    ArtifactError if the score's file is not the one that was exported.
    """

    def __init__(self, manifest: Manifest | None) -> None:
        self._rule = None if manifest is None else manifest.novelty
        if manifest is not None and self._rule is not None:
            manifest.require(self._rule)
            self._path = manifest.folder / self._rule.path
            self._known = read(self._path)

    def weights(self, images: NDArray[np.uint8], probabilities: NDArray[np.float32]) -> NDArray[np.float64]:
        """Return the weights of several looks at one image, (N,): the more a look resembles its class, the larger.

        images: (N, H, W, C), for which a model answers (N, classes). All count the same if no manifest has a score.
        """
        judged = [one for one in self.judge(images, probabilities) if one is not None]
        if self._rule is None or not judged:
            return np.ones(len(images))
        scores = np.array([one.score for one in judged])
        higher = (scores - scores.min()) / max(self._rule.threshold, LEAST_THRESHOLD)
        weights: NDArray[np.float64] = np.exp(-SHARPNESS * higher)
        return weights

    def judge(self, images: NDArray[np.uint8], probabilities: NDArray[np.float32]) -> Sequence[Judgement | None]:
        """Return what is said of images, (N, H, W, C), for which a model answers (N, classes).

        None for each image if no manifest has a score. ArtifactError if it was learned from images of another size or
        of other classes.
        """
        if self._rule is None or not len(images):
            return [None] * len(images)
        height, width, channels = images.shape[1:]
        known = self._known
        inside = min(height, width) >= LEAST_SIDE and known.rows[-1] < height and known.columns[-1] < width
        values = (probabilities.shape[1], len(known.rows) * len(known.columns) * channels * DIRECTIONS)
        if not inside or known.means.shape != values:
            what = f"({height}, {width}, {channels}), or of other classes"
            raise ArtifactError(f"{self._path}: is of other images than {what}")
        return [Judgement(float(score), self._rule.threshold) for score in known.scores(images, probabilities)]


def _starts(size: int, most: int) -> NDArray[np.int64]:
    """Return where at most so many blocks of about the same size begin."""
    count = min(size, most)
    return np.arange(count, dtype=np.int64) * size // count


def _edges(images: NDArray[np.uint8], rows: NDArray[np.int64], columns: NDArray[np.int64]) -> NDArray[np.float32]:
    """Return the root of how strong the edges of each direction are in each block of images (N, H, W, C): (N, F)."""
    height, width, channels = images.shape[1:]
    values = len(rows) * len(columns) * channels * DIRECTIONS
    firsts = _firsts((height, width, channels), tuple(rows.tolist()), tuple(columns.tolist()))
    sums = np.empty((len(images), values), np.float32)
    for start in range(0, len(images), CHUNK):
        part = images[start : start + CHUNK]
        strength, turn = _gradients(part)
        direction = np.floor(turn)
        share = turn - direction  # an edge between two directions belongs to both
        own = np.arange(len(part)).reshape(-1, 1, 1, 1) * values + firsts
        total = np.zeros(len(part) * values)
        for place, weight in ((direction, 1 - share), (direction + 1, share)):
            where = own + (place.astype(np.int64) & DIRECTIONS - 1)  # a power of two
            total += np.bincount(where.ravel(), (strength * weight).ravel(), total.size)
        sums[start : start + CHUNK] = total.reshape(len(part), values)
    sums *= len(rows) * len(columns) / (height * width)
    return np.sqrt(sums, out=sums)


@functools.lru_cache(maxsize=8)
def _firsts(shape: tuple[int, int, int], rows: tuple[int, ...], columns: tuple[int, ...]) -> NDArray[np.int64]:
    """Return where the values of each pixel begin, (H, W, C): of its block, and of its channel."""
    height, width, channels = shape
    down, right = _blocks(rows, height)[:, np.newaxis], _blocks(columns, width)
    return ((down * len(columns) + right)[..., np.newaxis] * channels + np.arange(channels)) * DIRECTIONS


def _blocks(starts: Sequence[int], size: int) -> NDArray[np.int64]:
    """Return the number of the block that each pixel of a side is in."""
    return np.repeat(np.arange(len(starts)), np.diff(starts, append=size))


def _gradients(images: NDArray[np.uint8]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return how strong the edge at each pixel is, and its direction, from 0 to DIRECTIONS of a turn."""
    down, right = np.gradient(images.astype(np.float32) / 255, axis=(1, 2))
    return np.sqrt(down * down + right * right), np.arctan2(down, right) * np.float32(DIRECTIONS / (2 * np.pi))
