"""Runs that differ in the learning rate alone are compared, each rate of the grid with the next larger one.

The larger rate is *unstable* where the run diverged, or where its validation accuracy once fell by more than 5
percentage points from one epoch to the next after it had reached 50 %; it *missed the minimum* where its best
validation accuracy is more than 1 percentage point below that of the smaller rate. It is *faster* where it is neither,
and reaches 95 % validation accuracy in an earlier epoch, or alone reaches it; where neither rate reaches 95 %, by a
lower training loss after the last epoch. A configuration supports the claim where the larger rate is faster, unstable
or missed the minimum, and opposes it where it is slower and none of these; it says nothing where both get there in the
same epoch, or the smaller rate diverged already. Beyond that the claim holds only if both happened: a rate that was
faster, and one that was unstable or missed the minimum. The figure is the number of epochs until 95 % that the larger
rate saves where both get there.
"""

from collections import Counter
from itertools import pairwise

from toolkit.study import words
from toolkit.study.claims.base import (
    DEPENDS,
    HOLDS,
    TARGETS,
    Table,
    Weighed,
    case,
    judge,
    matched,
    show,
)
from toolkit.study.outcome import Outcome
from toolkit.study.study import Study
from toolkit.study.trials import DIVERGED

LETTER = "d"
CLAIM = "A larger learning rate trains faster but can become unstable or miss the minimum."
CHARTS = ("rate", "epochs")
TARGET = TARGETS[0]
FASTER, UNSTABLE, MISSED, SLOWER, SAME = "faster", "unstable", "missed the minimum", "slower", "same"
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
            readings = [(_supports(kind), _saved(*pair)) for kind, pair in zip(read, pairs, strict=True)]
            cases.append(case({**configuration, "learning_rate": large}, readings))
    judgement = judge(cases)
    happened = {kind for _, _, kind in kinds}
    but = ""
    if judgement.verdict in (HOLDS, DEPENDS) and not (FASTER in happened and happened & {UNSTABLE, MISSED}):
        but = "no larger rate was faster" if FASTER not in happened else "no larger rate was unstable or missed"
    return Weighed(
        figure="epochs until 95 % that the larger rate saves: "
        + show(judgement.figure, lambda epochs: f"{epochs:+.1f}"),
        judgement=judgement,
        tables=(_table(kinds),),
        but=but,
    )


def effect(small: Outcome, large: Outcome) -> str:
    """Say in a word what the larger of two learning rates did."""
    if small.state == DIVERGED:
        return SAME
    if large.state == DIVERGED or _fell(large):
        return UNSTABLE
    if large.best_validation_accuracy < small.best_validation_accuracy - MISS:
        return MISSED
    slow, fast = small.epochs_until(TARGET), large.epochs_until(TARGET)
    if slow is None and fast is None:
        return FASTER if large.progress.history[-1].loss < small.progress.history[-1].loss else SLOWER
    if slow == fast:
        return SAME
    return FASTER if slow is None or (fast is not None and fast < slow) else SLOWER


def _fell(outcome: Outcome) -> bool:
    accuracies = [epoch.val_accuracy for epoch in outcome.progress.history]
    reached = False
    for before, after in pairwise(accuracies):
        reached = reached or before >= FALL_FROM
        if reached and before - after > FALL:
            return True
    return False


def _supports(kind: str) -> bool | None:
    return None if kind == SAME else kind != SLOWER


def _saved(small: Outcome, large: Outcome) -> float | None:
    slow, fast = small.epochs_until(TARGET), large.epochs_until(TARGET)
    return None if slow is None or fast is None else float(slow - fast)


def _table(kinds: Counter[tuple[str, str, str]]) -> Table:
    columns = (FASTER, UNSTABLE, MISSED, SAME, SLOWER)
    steps = dict.fromkeys((step, optimizer) for step, optimizer, _ in kinds)
    rows = [(*step, *(str(kinds[(*step, kind)]) for kind in columns)) for step in steps]
    return Table(("learning rate", "optimizer", *columns), tuple(rows))
