"""What the same rows say about the difference of two accuracies: bounds, an interval, a test, a sample size."""

from collections.abc import Sequence
from math import sqrt
from statistics import NormalDist

# The accuracy that an artifact may lose, in percentage points, unless --margin says otherwise.
DEFAULT_MARGIN_PP = 0.5
# The least and the most of it.
MARGINS_PP = (0, 100)
# One-sided confidence of the bounds that a verdict rests on, and the same for each end of a two-sided 95 % interval.
CONFIDENCE = 0.95
TWO_SIDED_CONFIDENCE = 0.975
# How improbable it must be that what is no better looks as much better before it is called so. Chance alone does that
# once in 10,000; 15 rows that only the better one gets right are enough.
LEVEL = 1e-4
# A classifier that has learned nothing is so many standard deviations above chance in one of 740 data sets.
CHANCE_DEVIATIONS = 3.0
# More rows than this decide nothing in practice: the loss is as good as equal to the margin.
MOST_IMAGES = 10**9
# Halvings of [-1, 1]: more than enough for double precision.
_BISECTIONS = 60


def loss_bounds(lost: float, gained: float, n: float, *, confidence: float = CONFIDENCE) -> tuple[float, float]:
    """Return one-sided lower and upper bounds of the accuracy that was lost, in [-1, 1].

    lost: rows that only the reference gets right; gained: that only the candidate does; n: all rows. These are
    Tango's score bounds for the difference of paired proportions (T. Tango, "Equivalence test and confidence interval
    for the difference in proportions for the paired-sample design", Statistics in Medicine 17, 891-908, 1998). Counts
    need not be whole, so that a larger test set with the same rates can be asked about.
    """
    if n < 1 or min(lost, gained) < 0 or lost + gained > n:
        raise ValueError(f"{lost} lost and {gained} gained of {n} images")
    z = NormalDist().inv_cdf(confidence)
    return _solve(lost, gained, n, z), _solve(lost, gained, n, -z)


def mcnemar_p(lost: int, gained: int) -> float:
    """Return the exact two-sided p-value of McNemar's test: is either model right more often than the other?

    Of the rows that only one of the two gets right, either should have half (Q. McNemar, Psychometrika 12, 153-157,
    1947; exact by the binomial distribution).
    """
    discordant, fewer = lost + gained, min(lost, gained)
    tail: int = 1
    term: int = 1
    for k in range(fewer):
        term = term * (discordant - k) // (k + 1)
        tail += term
    p_value: float = 2 * tail / 2**discordant
    return min(1.0, p_value)  # of whole numbers, so the same to the last digit everywhere


def near_chance(right: int, counts: Sequence[int]) -> bool:
    """Say whether so many right answers could be those of a classifier that has looked at no image.

    The best of those always names the most frequent class. counts: rows by class. By the normal approximation of the
    binomial distribution.
    """
    images, most = sum(counts), max(counts)
    return right <= most + CHANCE_DEVIATIONS * sqrt(most * (1 - most / images))


def images_to_decide(lost: int, gained: int, n: int, margin: float) -> int | None:
    """Return how many rows would end in pass or fail if the rates stayed what they are; None for more than a billion.

    margin: the accuracy that may be lost, in [0, 1]. The answer is exact to one in a thousand.
    """

    def decides(images: int) -> bool:
        lower, upper = loss_bounds(lost * images / n, gained * images / n, images)
        return upper <= margin or lower > margin

    low, high = n, n
    while not decides(high):
        low, high = high, high * 2
        if high > MOST_IMAGES:
            return None
    while high - low > max(1, low // 1000):
        middle = (low + high) // 2
        low, high = (low, middle) if decides(middle) else (middle, high)
    return high


def _solve(lost: float, gained: float, n: float, score: float) -> float:
    """Return the difference at which the score statistic, which falls with it, has the value ``score``."""
    low, high = -1.0, 1.0
    for _ in range(_BISECTIONS):
        middle = (low + high) / 2
        if _score(lost, gained, n, middle) > score:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def _score(lost: float, gained: float, n: float, difference: float) -> float:
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
