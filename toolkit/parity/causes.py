"""Why one model answers differently from another: what its input and output may mean instead, tried one by one.

A cause is fitted on one half of the images and confirmed on the other: there it must bring the answers nearer to the
reference's, by an exact McNemar test.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from toolkit.convention import STANDARD, Convention, Output, output_of, parse
from toolkit.data.base import Dataset
from toolkit.errors import ArtifactError
from toolkit.parity.against import open_classifier
from toolkit.parity.inputs import said_of
from toolkit.parity.statistics import mcnemar_p
from toolkit.runtimes.base import Predictor
from toolkit.worker.session import contained

# Images of both halves together.
IMAGES = 1000
# A cause that explains nothing is confirmed by chance less often than this.
LEVEL = 1e-4
# Share of equal answers from which two models are said to agree: what differs then is precision.
AGREE = 0.98
# Causes that are looked for on top of each other.
ROUNDS = 4
# As PyTorch's torchvision normalizes ImageNet's pixels.
_IMAGENET = parse("0.485,0.456,0.406,0.229,0.224,0.225")
_DIVIDED_TWICE = Convention((0.0,), (1 / 255,))


@dataclass(frozen=True)
class InputMeaning:
    """One way to understand the input of a model."""

    convention: Convention
    inverted: bool = False
    blue_first: bool = False
    transposed: bool = False

    def images(self, images: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Return pixels (N, H, W, C) as the model is to see them."""
        seen = 255 - images if self.inverted else images
        seen = seen[..., ::-1] if self.blue_first else seen
        return np.ascontiguousarray(seen.swapaxes(1, 2) if self.transposed else seen)


@dataclass(frozen=True)
class Cause:
    """What a model means otherwise than it was taken to; before, after: the share of equal answers, confirmed."""

    name: str
    text: str
    before: float
    after: float


@dataclass(frozen=True)
class Diagnosis:
    """Why a candidate answers differently. n: images that causes were confirmed on; agreement: share of equal answers.

    softmax: whether the two differ in that one answers with logits and the other with probabilities.
    """

    artifact: Path
    reference: Path
    n: int
    agreement: float
    causes: tuple[Cause, ...]
    softmax: bool

    @property
    def explained(self) -> bool:
        """Whether the two agree, at the latest once all causes are taken into account."""
        return (self.causes[-1].after if self.causes else self.agreement) >= AGREE

    def to_json(self) -> dict[str, Any]:
        """Return the document of ``toolkit diagnose --json``."""
        return {
            "schema": 1,
            "command": "diagnose",
            "artifact": str(self.artifact),
            "reference": str(self.reference),
            "n": self.n,
            "agreement": self.agreement,
            "causes": [vars(cause) for cause in self.causes],
            "softmax": self.softmax,
            "explained": self.explained,
        }


def diagnose(
    artifact: Path,
    reference: Path,
    dataset: Dataset,
    *,
    given: Convention | None = None,
    warn: Callable[[str], None],
) -> Diagnosis:
    """Say why ``artifact`` does not answer as ``reference`` does, on test images of ``dataset``.

    given: the range of its pixels, as the user has it; None stands for what its file or manifest says, else 0..1.
    Raises ArtifactError if one of the two is no classifier of these images.
    """
    count = min(IMAGES, len(dataset.test))
    images = dataset.test.images[np.random.default_rng(0).choice(len(dataset.test), size=count, replace=False)]
    with contained() as workers:
        model = open_classifier(workers, reference, None, dataset.train, warn)
        expected = model.answer(images)
        session = workers.open_session(artifact, threads=0)
        session.convention = convention = said_of(session, given, dataset.test) or session.convention
        outputs = session.predict(images)
        if outputs.shape != expected.shape:
            raise ArtifactError(f"{artifact}: its outputs are {outputs.shape}, the reference's {expected.shape}")
        base = InputMeaning(replace(convention, output=output_of(outputs, step=session.output.scale)))
        causes, agreement = _explain(session, base, images, expected)
        kinds = {model.convention.output, base.convention.output}
    softmax = kinds == {Output.LOGITS, Output.PROBABILITIES}
    return Diagnosis(artifact, reference, count - count // 2, agreement, tuple(causes), softmax)


def _explain(
    session: Predictor, base: InputMeaning, images: NDArray[np.uint8], outputs: NDArray[np.float32]
) -> tuple[list[Cause], float]:
    """Return the causes, each on top of those before, and the share of equal answers without them.

    The input is looked at first, by how well classes in any order agree: that order is fitted as well. outputs: the
    reference's, (N, classes).
    """
    halves = _Halves(outputs.argmax(axis=1), outputs.shape[1])
    steps = [("", "", base, _answers(session, base, images))]
    for _ in range(ROUNDS):
        *_, reading, answers = steps[-1]
        tried = [(*other, _answers(session, other[-1], images)) for other in _others(reading, images)]
        best = max(tried, key=lambda one: halves.fit(one[-1]), default=None)
        if best is None or not halves.better(halves.ordered(answers), halves.ordered(best[-1])):
            break
        steps.append(best)
    first, last = steps[0][-1], steps[-1][-1]
    agreement = halves.share(first)
    order = halves.order(last)
    causes = []
    if halves.better(last, halves.renamed(last, order)):
        text = f"its classes are in the order {_shown(order)}"
        causes = [Cause("labels", text, agreement, halves.share(halves.renamed(first, order)))]
    else:
        order = tuple(range(len(order)))
    shares = [halves.share(halves.renamed(answers, order)) for *_, answers in steps]
    causes += [
        Cause(name, text, before, after)
        for (name, text, *_), (before, after) in zip(steps[1:], pairwise(shares), strict=True)
    ]
    return causes, agreement


@dataclass(frozen=True)
class _Halves:
    """The reference's answers (N,): the first half is to fit by, the second to confirm by."""

    expected: NDArray[np.int64]
    classes: int

    @property
    def half(self) -> int:
        return len(self.expected) // 2

    def order(self, answers: NDArray[np.int64]) -> tuple[int, ...]:
        """Return which class of the candidate stands for each of the reference's: pairs that meet most often first."""
        met = np.zeros((self.classes, self.classes), np.int64)
        np.add.at(met, (self.expected[: self.half], answers[: self.half]), 1)
        order = [-1] * self.classes
        for flat in np.argsort(-met, axis=None, kind="stable"):
            reference, candidate = divmod(int(flat), self.classes)
            if order[reference] < 0 and candidate not in order:
                order[reference] = candidate
        return tuple(order)

    def renamed(self, answers: NDArray[np.int64], order: tuple[int, ...]) -> NDArray[np.int64]:
        """Return answers as classes of the reference."""
        return np.argsort(order)[answers]

    def ordered(self, answers: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return answers in the order that fits best."""
        return self.renamed(answers, self.order(answers))

    def fit(self, answers: NDArray[np.int64]) -> int:
        """Return how many of the first half are right in the order that fits best."""
        return int((self.ordered(answers) == self.expected)[: self.half].sum())

    def share(self, answers: NDArray[np.int64]) -> float:
        """Return the share of the second half that is equal."""
        return float((answers == self.expected)[self.half :].mean())

    def better(self, old: NDArray[np.int64], new: NDArray[np.int64]) -> bool:
        """Say whether new answers are surely nearer to the reference's, on the second half."""
        before, after = ((answers == self.expected)[self.half :] for answers in (old, new))
        lost, gained = int((before & ~after).sum()), int((after & ~before).sum())
        return gained > lost and mcnemar_p(lost, gained) < LEVEL


def _answers(session: Predictor, reading: InputMeaning, images: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Return the class of each image, (N,); outputs that are no numbers are of none."""
    session.convention = reading.convention
    outputs = session.predict(reading.images(images))
    return np.where(np.isfinite(outputs).all(axis=1), outputs.argmax(axis=1), 0).astype(np.int64)


def _others(base: InputMeaning, images: NDArray[np.uint8]) -> Iterator[tuple[str, str, InputMeaning]]:
    """Yield a name, a sentence and a reading that differs from ``base`` in one thing; of values nothing is tried."""
    if images.dtype != np.uint8:
        return
    ranges = [*STANDARD, _DIVIDED_TWICE]
    if images.shape[3] == 3:
        ranges.append(_IMAGENET)
        channels = "red, green, blue" if base.blue_first else "blue, green, red"
        yield "channel order", f"it takes channels as {channels}", replace(base, blue_first=not base.blue_first)
    for one in ranges:
        if str(one) != str(base.convention):
            name = "double normalization" if one is _DIVIDED_TWICE else "input range"
            text = "that were divided by 255 twice" if one is _DIVIDED_TWICE else f"as {one}"
            other = replace(base.convention, low=one.low, high=one.high)
            yield name, f"it takes pixels {text}", replace(base, convention=other)
    yield "polarity", "it takes inverted images (255 - pixel)", replace(base, inverted=not base.inverted)
    if images.shape[1] == images.shape[2]:
        yield "orientation", "it takes rows and columns exchanged", replace(base, transposed=not base.transposed)


def _shown(order: tuple[int, ...], most: int = 12) -> str:
    return ", ".join(map(str, order[:most])) + (", …" if len(order) > most else "")
