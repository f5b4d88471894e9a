"""Runs that differ in the loss alone are compared by the accuracy of their best weights on the test images.

The claim is read as: cross-entropy ends at a higher accuracy than the mean squared error. The best weights are those
with the lowest validation loss, so each loss chooses by its own value. A configuration supports the claim if
cross-entropy has the higher accuracy, opposes it if the mean squared error has it, and says nothing if the difference
could be chance. It could be chance up to 1.96 standard errors of the difference of two independent shares of so many
images. For two shares of the same images that is more than needed. Chance here is the choice of the test images, not
the seed: runs of other seeds differ too, which only a study with several seeds shows. A run that diverged counts as
chance (one class of all). The figure is the difference of the test accuracies in percentage points. The table also has
the epochs until 95 % validation accuracy.
"""

from functools import partial
from math import sqrt
from statistics import NormalDist, mean

from toolkit import units, words
from toolkit.study.claims.base import TARGETS, Case, SeedReading, Table, Weighed, cases, judge, matched, show
from toolkit.study.outcome import TrialOutcome
from toolkit.study.study import Study

LETTER = "e"
CLAIM = "Cross-entropy trains a better classifier than the mean squared error."
CHARTS = ("heat", "accuracy")
LOSSES = ("categorical_crossentropy", "mse")


def weigh(study: Study) -> Weighed:
    """Weigh the claim by test accuracies."""
    judgement = judge(cases(study, "loss", *LOSSES, partial(_compare, study)))
    return Weighed(
        figure="test accuracy that cross-entropy gains: " + show(judgement.figure, lambda points: f"{points:+.2f} pp"),
        judgement=judgement,
        tables=(_table(study, judgement.cases),),
    )


def _compare(study: Study, entropy: TrialOutcome, squared: TrialOutcome) -> SeedReading:
    first, second = (_accuracy(study, one) for one in (entropy, squared))
    rows = int(study.data["test_rows"])
    error = sqrt((first * (1 - first) + second * (1 - second)) / rows)
    gain = first - second
    return (None if abs(gain) <= NormalDist().inv_cdf(0.975) * error else gain > 0), gain * 100


def _accuracy(study: Study, outcome: TrialOutcome) -> float:
    return 1 / int(study.data["classes"]) if outcome.test_accuracy is None else outcome.test_accuracy


def _table(study: Study, compared: tuple[Case, ...]) -> Table:
    rows = []
    gains = {tuple(one.configuration.values()): one.figures for one in compared}
    for configuration, pairs in matched(study, "loss", *LOSSES):
        cells = []
        for position in (0, 1):
            runs = [pair[position] for pair in pairs]
            epochs = [str(one.epochs_until(TARGETS[0]) or "–") for one in runs]
            cells += [units.percent(mean(_accuracy(study, one) for one in runs)), ", ".join(epochs)]
        gain = f"{mean(gains[tuple(configuration.values())]):+.2f}"
        rows.append((words.configuration(configuration), *cells, gain))
    headings = ("", "cross-entropy", "epochs until 95 %", "mean squared error", "epochs until 95 %", "gain (pp)")
    return Table(headings, tuple(rows))
