"""Why one model answers differently from another: what its input and output may mean instead, tried one by one.

A cause is fitted on one half of the rows and confirmed on the other: there it must bring the answers nearer to the
reference's, by an exact McNemar test.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from toolkit import units
from toolkit.convention import Convention, Output, image_shape, output_of
from toolkit.data.base.pixels import chunks
from toolkit.errors import ArtifactError
from toolkit.parity import clipping
from toolkit.parity.against import Load, classifier
from toolkit.parity.halves import Cause, Halves
from toolkit.parity.inputs import session_convention
from toolkit.parity.pixel_meaning import PixelMeaning
from toolkit.parity.value_meaning import ValueMeaning, scales
from toolkit.runtimes.base import Predictor
from toolkit.worker.session import contained

# Rows of both halves together.
ROWS = 1000
# Share of equal answers from which two models are said to agree: what differs then is precision.
AGREE = 0.98
# Images whose values are looked at together.
VALUES_ROWS = 50
# Causes that are looked for on top of each other.
ROUNDS = 4
# Rows of the first half by which an order of columns is looked for.
ORDER_ROWS = 100
# How many classes a sentence names.
NAMED_CLASSES = 12

Meaning = PixelMeaning | ValueMeaning


@dataclass(frozen=True)
class Diagnosis:
    """Why a candidate answers differently. n: rows that causes were confirmed on; agreement: share of equal answers.

    softmax: whether the two differ in that one answers with logits and the other with probabilities. dequantization:
    whether the candidate answers with whole numbers, as a quantized output that lacks its scale. noun: of a row.
    """

    artifact: Path
    reference: Path
    n: int
    agreement: float
    causes: tuple[Cause, ...]
    softmax: bool
    dequantization: bool
    noun: str

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
            "dequantization": self.dequantization,
            "explained": self.explained,
        }


def diagnose(
    artifact: Path, reference: Path, load: Load, *, given: Convention | None = None, warn: Callable[[str], None]
) -> Diagnosis:
    """Say why ``artifact`` does not answer as ``reference`` does, on test rows of what ``load`` gives.

    given: the range of its pixels, as the user has it; None stands for what its file or manifest says, else 0..1.
    Raises ArtifactError if one of the two is no classifier of these rows.
    """
    with contained() as workers:
        original = workers.open_session(reference, threads=0)
        dataset = load(image_shape(original.input.shape))
        count = min(ROWS, len(dataset.test))
        rows = dataset.test.images[np.random.default_rng(0).choice(len(dataset.test), size=count, replace=False)]
        model = classifier(original, None, dataset.train, warn)
        expected = model.answer(rows)
        ways = () if dataset.is_pixels else scales(dataset.train.images, partial(_probabilities, model.session))
        session = workers.open_session(artifact, threads=0)
        session.convention = convention = session_convention(session, given, dataset.test) or session.convention
        outputs = session.predict(rows)
        if outputs.shape != expected.shape:
            raise ArtifactError(f"{artifact}: its outputs are {outputs.shape}, the reference's {expected.shape}")
        convention = replace(convention, output=output_of(outputs, step=session.output.scale))
        base = (
            ValueMeaning(convention, ways, ways[0], dataset.reading.columns or ()) if ways else PixelMeaning(convention)
        )
        causes, agreement = _explain(session, base, rows, expected)
        kinds = {model.convention.output, base.convention.output}
    whole = _whole_numbers(outputs) and not _whole_numbers(expected)
    softmax = kinds == {Output.LOGITS, Output.PROBABILITIES} and not whole
    return Diagnosis(artifact, reference, count - count // 2, agreement, tuple(causes), softmax, whole, dataset.noun)


def _whole_numbers(outputs: NDArray[np.float32]) -> bool:
    """Say whether outputs are integers, others than the 0 and 1 of a sure answer."""
    return bool((outputs == np.rint(outputs)).all() and np.abs(outputs).max() > 1)


def _explain(
    session: Predictor, base: Meaning, rows: NDArray[Any], outputs: NDArray[np.float32]
) -> tuple[list[Cause], float]:
    """Return the causes, each on top of those before, and the share of equal answers without them.

    The input is looked at first, by how well classes in any order agree: that order is fitted as well. outputs: the
    reference's, (N, classes).
    """
    halves = Halves(outputs.argmax(axis=1), outputs.shape[1])
    steps = [("", "", base, _answers(session, base, rows))]
    for _ in range(ROUNDS):
        *_, meaning, answers = steps[-1]
        if halves.fit(answers) >= AGREE * halves.half:
            break
        others = _others(session, meaning, rows, outputs)
        tried = [(*other, _answers(session, other[-1], rows)) for other in others]
        best = max(tried, key=lambda one: halves.fit(one[-1]), default=None)
        if best is None or not halves.better(halves.ordered(answers), halves.ordered(best[-1])):
            break
        steps.append(best)
    first, last = steps[0][-1], steps[-1][-1]
    agreement = halves.share(first)
    order = halves.order(last)
    causes = []
    if halves.better(last, halves.renamed(last, order)):
        text = f"its classes are in the order {units.first(order, NAMED_CLASSES)}"
        causes = [Cause("labels", text, agreement, halves.share(halves.renamed(first, order)))]
    else:
        order = tuple(range(len(order)))
    shares = [halves.share(halves.renamed(answers, order)) for *_, answers in steps]
    causes += [
        Cause(name, text, before, after)
        for (name, text, *_), (before, after) in zip(steps[1:], pairwise(shares), strict=True)
    ]
    if shares[-1] < AGREE and (clipped := _clipped(session, steps[-1][2], rows, order, halves)):
        causes.append(clipped)
    return causes, agreement


def _clipped(
    session: Predictor, meaning: Meaning, rows: NDArray[Any], order: tuple[int, ...], halves: Halves
) -> Cause | None:
    """Return the cause if what the candidate cannot hold explains answers that differ. order: of its classes."""
    outputs = _outputs(session, meaning, rows)[:, list(order)]
    answers = outputs.argmax(axis=1)
    values = (meaning.convention.values(meaning.rows(some)) for some in chunks(rows, VALUES_ROWS))
    return clipping.input_clipping(session.input, values, answers, halves) or clipping.output_clipping(
        session.output, outputs, answers, halves
    )


def _outputs(session: Predictor, meaning: Meaning, rows: NDArray[Any]) -> NDArray[np.float32]:
    session.convention = meaning.convention
    return session.predict(meaning.rows(rows))


def _probabilities(session: Predictor, rows: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return probabilities (N, classes); what is no number is of no class."""
    return np.nan_to_num(session.convention.probabilities(session.predict(rows)))


def _answers(session: Predictor, meaning: Meaning, rows: NDArray[Any]) -> NDArray[np.int64]:
    """Return the class of each row, (N,); outputs that are no numbers are of none."""
    outputs = _outputs(session, meaning, rows)
    return np.where(np.isfinite(outputs).all(axis=1), outputs.argmax(axis=1), 0).astype(np.int64)


def _others(
    session: Predictor, meaning: Meaning, rows: NDArray[Any], expected: NDArray[np.float32]
) -> Iterator[tuple[str, str, Meaning]]:
    """Return names, sentences and meanings that differ from one in one thing. expected: the reference's outputs."""
    if isinstance(meaning, PixelMeaning):
        return meaning.others(rows, session.input)
    some = slice(0, min(ORDER_ROWS, len(rows) // 2))

    def distance(other: ValueMeaning) -> float:
        outputs = other.convention.probabilities(_outputs(session, other, rows[some]))
        return float(np.square(np.nan_to_num(outputs, nan=1.0) - expected[some]).mean())

    session.convention = meaning.convention
    return meaning.others(rows.shape[-1], distance, partial(_probabilities, session))
