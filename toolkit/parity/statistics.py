"""Bounds on the difference of two accuracies that were measured on the same images."""

from math import sqrt
from statistics import NormalDist

# The accuracy that an artifact may lose, in percentage points, unless --margin says otherwise.
DEFAULT_MARGIN_PP = 0.5
# One-sided confidence of the bounds that a verdict rests on.
CONFIDENCE = 0.95
# Halvings of [-1, 1]: more than enough for double precision.
_BISECTIONS = 60


def loss_bounds(lost: int, gained: int, n: int, *, confidence: float = CONFIDENCE) -> tuple[float, float]:
    """Return one-sided lower and upper bounds of the accuracy that was lost, in [-1, 1].

    lost: images that only the reference gets right; gained: that only the candidate does; n: all images. These are
    Tango's score bounds for the difference of paired proportions (T. Tango, "Equivalence test and confidence interval
    for the difference in proportions for the paired-sample design", Statistics in Medicine 17, 891-908, 1998).
    """
    if n < 1 or min(lost, gained) < 0 or lost + gained > n:
        raise ValueError(f"{lost} lost and {gained} gained of {n} images")
    z = NormalDist().inv_cdf(confidence)
    return _solve(lost, gained, n, z), _solve(lost, gained, n, -z)


def _solve(lost: int, gained: int, n: int, score: float) -> float:
    """Return the difference at which the score statistic, which falls with it, has the value ``score``."""
    low, high = -1.0, 1.0
    for _ in range(_BISECTIONS):
        middle = (low + high) / 2
        if _score(lost, gained, n, middle) > score:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def _score(lost: int, gained: int, n: int, difference: float) -> float:
    """Tango's statistic for the hypothesis that the true loss is ``difference`` (equation 8)."""
    b = -lost - gained + (2 * n - lost + gained) * difference
    c = -gained * difference * (1 - difference)
    # Its maximum-likelihood estimate under the hypothesis; rounding may take the root just below 0 at the ends.
    gained_rate = (sqrt(max(b * b - 8 * n * c, 0.0)) - b) / (4 * n)
    variance = n * (2 * gained_rate + difference * (1 - difference))
    excess = lost - gained - n * difference
    if variance <= 0:
        return 0.0 if excess == 0 else excess * float("inf")
    return excess / sqrt(variance)
