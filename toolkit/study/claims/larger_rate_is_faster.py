"""Runs that differ in the learning rate alone are compared, each rate of the grid with the next larger one.

A rate is *unstable* where the run diverged, or if its validation accuracy once fell by more than 5 percentage points
from one epoch to the next after it had reached 50 %. The larger rate *missed the minimum* where it is not unstable and
its best validation accuracy is more than 1 percentage point below that of the smaller rate. If the smaller rate is
unstable itself, the pair says nothing. The claim has two parts. That a larger rate trains faster is weighed by the
pairs in which it is neither unstable nor missed the minimum: such a pair supports the claim if the larger rate
reaches 95 % validation accuracy in an earlier epoch, or alone reaches it, or, if neither does, has the lower
training loss after the last epoch; it opposes it the other way round, and says nothing if both get there in the same
epoch. That it can become unstable or miss the minimum needs one pair in which it did: if there is none, the claim
does not hold. The figure is the number of epochs until 95 % that the larger rate saves in the pairs of the first part
where both get there.
"""

from collections import Counter
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
FASTER, SAME, SLOWER = "faster", "same epoch", "slower"
UNSTABLE, MISSED, BOTH = "unstable", "missed the minimum", "the smaller rate unstable"
SUPPORTS = {FASTER: True, SLOWER: False}
# A fall of the validation accuracy from one epoch to the next, and the accuracy from which it counts.
FALL, FALL_FROM = 0.05, 0.5
# How far below the smaller rate's best validation accuracy the minimum counts as missed.
MISS = 0.01


def weigh(study: Study) -> Weighed:
    """Weigh the claim over every step from one learning rate to the next."""
    kinds: Counter[tuple[str, str, str]] = Counter()
    cases = []
    for small, large in pairwise(sorted(study.grid.learning_rate)):
        for configuration, pairs in matched(study, "learning_rate", small, large):
            read = [effect(slow, fast) for slow, fast in pairs]
            for kind in read:
                kinds[f"{small:g} → {large:g}", words.value(configuration["optimizer"]), kind] += 1
            readings = [(SUPPORTS.get(kind), _saved(kind, *pair)) for kind, pair in zip(read, pairs, strict=True)]
            cases.append(case({**configuration, "learning_rate": large}, readings))
    judgement = judge(cases)
    went_wrong = sum(count for (_, _, kind), count in kinds.items() if kind in (UNSTABLE, MISSED))
    read_pairs = sum(count for (_, _, kind), count in kinds.items() if kind != BOTH)
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


def effect(small: TrialOutcome, large: TrialOutcome) -> str:
    """Say in a word what the larger of two learning rates did."""
    if _unstable(small):
        return BOTH
    if _unstable(large):
        return UNSTABLE
    if large.best_validation_accuracy < small.best_validation_accuracy - MISS:
        return MISSED
    slow, fast = small.epochs_until(TARGET), large.epochs_until(TARGET)
    if slow is None and fast is None:
        return FASTER if large.progress.history[-1].loss < small.progress.history[-1].loss else SLOWER
    if slow == fast:
        return SAME
    return FASTER if slow is None or (fast is not None and fast < slow) else SLOWER


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


def _saved(kind: str, small: TrialOutcome, large: TrialOutcome) -> float | None:
    slow, fast = small.epochs_until(TARGET), large.epochs_until(TARGET)
    if kind not in (FASTER, SAME, SLOWER) or slow is None or fast is None:
        return None
    return float(slow - fast)


def _table(kinds: Counter[tuple[str, str, str]]) -> Table:
    columns = (FASTER, SAME, SLOWER, UNSTABLE, MISSED, BOTH)
    steps = dict.fromkeys((step, optimizer) for step, optimizer, _ in kinds)
    rows = [(*step, *(str(kinds[(*step, kind)]) for kind in columns)) for step in steps]
    return Table(("learning rate", "optimizer", *columns), tuple(rows))
