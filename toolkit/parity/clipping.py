"""Saturation: values of a quantized input or output that lie beyond what its integers hold, and are clipped."""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from toolkit import units
from toolkit.manifest import TensorSpec
from toolkit.parity.halves import Cause, Halves
from toolkit.parity.statistics import LEVEL, mcnemar_p

NAME = "saturation"
# Classes of an image that share the highest output, as a share of the others: of more, chance finds the right one.
_MOST_TIED = 0.5


def input_clipping(
    spec: TensorSpec, values: Iterable[NDArray[np.float32]], answers: NDArray[np.int64], halves: Halves
) -> Cause | None:
    """Return the cause if images with more clipped values are more often answered differently.

    values: what the input is given, some images at a time. answers: classes of the reference, (N,).
    """
    ends = _ends(spec)
    if ends is None:
        return None
    step = spec.scale or 0.0
    clipped = (((rows < ends[0] - step) | (rows > ends[1] + step)).reshape(len(rows), -1) for rows in values)
    beyond = np.concatenate([rows.mean(axis=1) for rows in clipped])
    threshold = halves.apart(answers != halves.expected, beyond)
    if threshold is None:
        return None
    second = slice(halves.half, None)
    whole = beyond[second] <= threshold
    after = float((answers == halves.expected)[second][whole].mean()) if whole.any() else 0.0
    text = (
        f"its input holds {ends[0]:.4g} to {ends[1]:.4g}, beyond which {units.percent(float(beyond.mean()))} of the "
        "values are clipped; where few are, the answers are equal"
    )
    return Cause(NAME, text, halves.share(answers), after)


def output_clipping(
    spec: TensorSpec, outputs: NDArray[np.float32], answers: NDArray[np.int64], halves: Halves
) -> Cause | None:
    """Return the cause if several classes of an image have the highest output there is, the reference's among them.

    outputs: (N, classes), in the order of the reference's classes. answers: (N,).
    """
    ends = _ends(spec)
    if ends is None:
        return None
    at_end = outputs >= ends[1] - (spec.scale or 0.0) / 2
    others = at_end.sum(axis=1) - 1
    tied = (others >= 1) & (others <= _MOST_TIED * (halves.classes - 1))
    meant = at_end[np.arange(len(outputs)), halves.expected]
    wrong = (tied & (answers != halves.expected))[halves.half :]
    gained, lost = int((wrong & meant[halves.half :]).sum()), int((wrong & ~meant[halves.half :]).sum())
    # By chance the reference's class is one of the tied ones at most as often as it is not.
    if gained <= lost or mcnemar_p(lost, gained) >= LEVEL:
        return None
    text = (
        f"the outputs of several classes are at {ends[1]:.4g}, the most that its output holds, in "
        f"{units.percent(float(tied.mean()))} of the answers: the larger are clipped"
    )
    return Cause(NAME, text, halves.share(answers), halves.share(np.where(tied & meant, halves.expected, answers)))


def _ends(spec: TensorSpec) -> tuple[float, float] | None:
    """Return the lowest and highest real value that a quantized tensor holds; None for another."""
    dtype = np.dtype(spec.dtype)
    if dtype.kind not in "iu" or spec.scale is None:
        return None
    limits = np.iinfo(dtype)
    low, high = ((limit - (spec.zero_point or 0)) * spec.scale for limit in (limits.min, limits.max))
    return low, high
