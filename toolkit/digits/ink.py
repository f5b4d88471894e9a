"""The ink of a photo: how much of the paper's light is missing at each pixel, and where that is a stroke."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from toolkit.digits import paper

# Less contrast than these grey levels is an empty page.
LEAST_CONTRAST = 16.0
# Standard deviations of the paper's grain that ink must exceed: of a million pixels of Gaussian noise, none does.
GRAIN = 5.0
# The standard deviation of Gaussian noise is this many times its median absolute deviation.
MAD_TO_DEVIATION = 1.4826
# Paper that is darker than this share of the brightest is taken to be so bright: there, noise would look like ink.
DARKEST_PAPER = 0.3
# Otsu's threshold is held between these shares of the strongest ink: it would split the ink itself if there is no
# other class, or the grain.
LOW_SHARE, HIGH_SHARE = 0.3, 0.6
BINS = 256


@dataclass(frozen=True)
class Ink:
    """The ink of one page in one polarity. Arrays are (H, W).

    paper: grey levels, without the ink. strength: the share of the paper's light that is missing, in [0, 1].
    threshold: of the strength of a stroke; None for an empty page.
    """

    paper: NDArray[np.uint8]
    strength: NDArray[np.float32]
    threshold: float | None


def measure(grey: NDArray[np.uint8], *, window: int) -> Ink:
    """Measure dark ink of strokes thinner than ``window`` pixels on a (H, W) page."""
    background = paper.estimate(grey, window=window)
    missing = background.astype(np.float32) - grey
    # The closing lies on the brightest grain of the paper: what is missing of most of the page is no ink.
    grain = GRAIN * noise(grey)
    missing -= np.float32(min(float(np.median(missing)), grain))
    floor = max(LEAST_CONTRAST, grain)
    bright = np.maximum(background, np.float32(max(1.0, DARKEST_PAPER * float(background.max()))))
    strength: NDArray[np.float32] = np.clip(missing / bright, 0.0, 1.0).astype(np.float32)
    return Ink(background, strength, _threshold(strength, missing >= floor))


def noise(grey: NDArray[np.uint8]) -> float:
    """Return the standard deviation of the noise in grey levels, from neighbours: most of them differ by it alone."""
    if grey.shape[1] < 2:
        return 0.0
    steps = np.abs(np.diff(grey.astype(np.int16)))
    return MAD_TO_DEVIATION * float(np.median(steps)) / 2**0.5


def _threshold(strength: NDArray[np.float32], seen: NDArray[np.bool_]) -> float | None:
    """Return the strength from which ink is a stroke; None if none is seen."""
    if not seen.any():
        return None
    above = strength[seen]
    strongest = float(np.percentile(above, 95))
    return max(float(above.min()), min(max(otsu(above), LOW_SHARE * strongest), HIGH_SHARE * strongest))


def otsu(values: NDArray[np.float32]) -> float:
    """Return the threshold in [0, 1] that splits values into the two classes with the largest variance between them.

    N. Otsu, A Threshold Selection Method from Gray-Level Histograms, IEEE Trans. SMC 9 (1979), 62–66.
    """
    counts = np.bincount((values * (BINS - 1)).astype(np.intp), minlength=BINS).astype(np.float64)
    levels = np.arange(BINS)
    below, sum_below = counts.cumsum(), (counts * levels).cumsum()
    above, sum_above = below[-1] - below, sum_below[-1] - sum_below
    with np.errstate(divide="ignore", invalid="ignore"):
        between = below * above * (sum_below / below - sum_above / above) ** 2
    return float(np.argmax(np.nan_to_num(between)) + 0.5) / (BINS - 1)
