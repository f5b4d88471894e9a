"""Runs that differ in the learning rate alone are compared, each rate of the grid with the next larger one.

A rate is *unstable* if the run diverged, or if its validation accuracy once fell by more than 5 percentage points
from one epoch to the next after it had reached 50 %. The larger rate *missed the minimum* if it is not unstable and
its best validation accuracy is more than 1 percentage point below that of the smaller rate. If the smaller rate is
unstable itself, the pair says nothing. The claim has two parts. The first, that a larger rate trains faster, is weighed
by the pairs in which the larger rate is neither unstable nor missed the minimum. Faster is the rate that reaches 95 %
validation accuracy in an earlier epoch, or alone. If neither reaches it, faster is the one with the lower training loss
after the last epoch. A pair supports the claim if the larger rate is faster, opposes it if the smaller one is, and says
nothing if both get there in the same epoch. The second part, that a larger rate can become unstable or miss the
minimum, needs one pair in which it did: if there is none, the claim does not hold. The figure is the number of epochs
until 95 % that the larger rate saves, in the pairs of the first part where both get there.
"""

from collections import Counter
from enum import StrEnum
from itertools import pairwise

from toolkit import words
from toolkit.study.claims.base import TARGETS, ClaimVerdict, Table, Weighed, case, judge, matched, show
from toolkit.study.outcome import TrialOutcome
from toolkit.study.study import Study
from toolkit.study.trials import TrialState

LETTER = "d"
CLAIM = "A larger learning rate trains faster but can become unstable or miss the minimum."
CHARTS = ("rate", "epochs")
TARGET = TARGETS[0]
# A fall of the validation accuracy from one epoch to the next, and the accuracy from which it counts.
FALL, FALL_FROM = 0.05, 0.5
# How far below the smaller rate's best validation accuracy the minimum counts as missed.
MISS = 0.01


class Effect(StrEnum):
    """What the larger of two learning rates did; ``BOTH``: the smaller one was unstable itself."""

    FASTER = "faster"
    SAME = "same epoch"
    SLOWER = "slower"
    UNSTABLE = "unstable"
    MISSED = "missed the minimum"
    BOTH = "the smaller rate unstable"


SUPPORTS = {Effect.FASTER: True, Effect.SLOWER: False}


def weigh(study: Study) -> Weighed:
    """Weigh the claim over every step from one learning rate to the next."""
    kinds: Counter[tuple[str, str, Effect]] = Counter()
    cases = []
    for small, large in pairwise(sorted(study.grid.learning_rate)):
        for configuration, pairs in matched(study, "learning_rate", small, large):
            read = [effect(slow, fast) for slow, fast in pairs]
            for kind in read:
                kinds[f"{small:g} → {large:g}", words.value(configuration["optimizer"]), kind] += 1
            readings = [(SUPPORTS.get(kind), _saved(kind, *pair)) for kind, pair in zip(read, pairs, strict=True)]
            cases.append(case({**configuration, "learning_rate": large}, readings))
    judgement = judge(cases)
    went_wrong = sum(count for (_, _, kind), count in kinds.items() if kind in (Effect.UNSTABLE, Effect.MISSED))
    read_pairs = sum(count for (_, _, kind), count in kinds.items() if kind != Effect.BOTH)
    but = ""
    if judgement.verdict in (ClaimVerdict.HOLDS, ClaimVerdict.DEPENDS) and not went_wrong:
        but = "no larger rate became unstable or missed the minimum"
    saved = show(judgement.figure, lambda epochs: f"{epochs:+g}")
    return Weighed(
        figure=f"the larger rate became unstable or missed the minimum in {went_wrong} of {read_pairs} pairs; epochs "
        f"until 95 % that it saves in the others: {saved}",
        judgement=judgement,
        tables=(_table(kinds),),
        but=but,
    )


def effect(small: TrialOutcome, large: TrialOutcome) -> Effect:
    """Say what the larger of two learning rates did."""
    if _unstable(small):
        return Effect.BOTH
    if _unstable(large):
        return Effect.UNSTABLE
    if large.best_validation_accuracy < small.best_validation_accuracy - MISS:
        return Effect.MISSED
    slow, fast = small.epochs_until(TARGET), large.epochs_until(TARGET)
    if slow is None and fast is None:
        is_lower = large.progress.history[-1].loss < small.progress.history[-1].loss
        return Effect.FASTER if is_lower else Effect.SLOWER
    if slow == fast:
        return Effect.SAME
    is_first = slow is None or (fast is not None and fast < slow)
    return Effect.FASTER if is_first else Effect.SLOWER


def _unstable(outcome: TrialOutcome) -> bool:
    return outcome.state == TrialState.DIVERGED or _fell(outcome)


def _fell(outcome: TrialOutcome) -> bool:
    accuracies = [epoch.val_accuracy for epoch in outcome.progress.history]
    reached = False
    for before, after in pairwise(accuracies):
        reached = reached or before >= FALL_FROM
        if reached and before - after > FALL:
            return True
    return False


def _saved(kind: Effect, small: TrialOutcome, large: TrialOutcome) -> float | None:
    slow, fast = small.epochs_until(TARGET), large.epochs_until(TARGET)
    if kind not in (Effect.FASTER, Effect.SAME, Effect.SLOWER) or slow is None or fast is None:
        return None
    return float(slow - fast)


def _table(kinds: Counter[tuple[str, str, Effect]]) -> Table:
    steps = dict.fromkeys((step, optimizer) for step, optimizer, _ in kinds)
    rows = [(*step, *(str(kinds[(*step, kind)]) for kind in Effect)) for step in steps]
    return Table(("learning rate", "optimizer", *Effect), tuple(rows))
