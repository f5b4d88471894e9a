"""What a classifier's outputs say: probabilities, and the names of the classes."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from toolkit.convention import Output, output_of
from toolkit.errors import ArtifactError
from toolkit.manifest import Manifest
from toolkit.novelty import Judge, Judgement
from toolkit.parity import checks
from toolkit.prediction.views import View
from toolkit.runtimes.base import Predictor

# How many patterns of each kind an unknown model is tried on, before it is decided what its outputs are.
PATTERNS = 8


def classify(
    session: Predictor, manifest: Manifest | None, rows: NDArray[Any], labels: Sequence[str] | None = None
) -> tuple[Sequence[str], NDArray[np.float32]]:
    """Return the names of the classes, and their probabilities for each row, (N, classes).

    labels: the names where no manifest has them; without, they are numbers.
    """
    model, outputs = session.path, session.predict(rows)
    checks.require_classes(outputs, path=model)
    checks.require_finite(outputs, path=model)
    outputs = _probabilities(outputs, rows, session)
    count = outputs.shape[1]
    names = manifest.data.classes if manifest else labels or list(map(str, range(count)))
    if len(names) != count:
        raise ArtifactError(f"{model}: tells {count} classes apart, {len(names)} are named")
    return names, outputs


def combine_looks(
    views: Sequence[View], rows: NDArray[np.float32], judge: Judge
) -> tuple[NDArray[np.float32], Sequence[Judgement | None]]:
    """Return the probabilities of each view, (N, classes), and whether it is of none of the classes.

    rows: of the looks of all views, one after the other. A view has the weighted mean of its looks: the more a look
    resembles its class, the larger is its weight.
    """
    ends = np.cumsum([len(view.looks) for view in views])
    means = [
        own if len(own) == 1 else np.average(own, axis=0, weights=judge.weights(view.looks, own))[np.newaxis]
        for view, own in zip(views, np.split(rows, ends[:-1]), strict=True)
    ]
    probabilities = np.concatenate(means).astype(np.float32)
    return probabilities, judge.judge(np.stack([view.pixels for view in views]), probabilities)


def _probabilities(outputs: NDArray[np.float32], rows: NDArray[Any], session: Predictor) -> NDArray[np.float32]:
    """Return (N, classes) probabilities. If nobody has said what the outputs are, their values decide.

    The logits of a few images may all be from 0 to 1, as probabilities are, so those of patterns are checked as well.
    rows: what was answered.
    """
    convention = session.convention
    if convention.output is None:
        judged = outputs
        if rows.dtype == np.uint8:
            others = session.predict(_patterns(rows.shape[1:]))
            judged = np.concatenate([outputs, others[np.isfinite(others).all(axis=1)]])
        convention = replace(convention, output=output_of(judged, step=session.output.scale))
        if outputs.shape[1] == 1 and convention.output == Output.LOGITS:
            raise ArtifactError(f"{session.path}: answers with one number, which is no probability: not a classifier")
    return convention.probabilities(convention.answers(outputs))


def _patterns(shape: tuple[int, ...]) -> NDArray[np.uint8]:
    """Return images of one shade each, and of noise: (N, H, W, C)."""
    shades = np.linspace(0, 255, PATTERNS).astype(np.uint8)
    noise = np.random.default_rng(0).integers(0, 256, (PATTERNS, *shape)).astype(np.uint8)
    return np.concatenate([np.broadcast_to(shades[:, None, None, None], noise.shape), noise])
