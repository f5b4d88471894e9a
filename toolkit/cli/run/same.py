"""What a run says of its artifacts beside the model that it trained: what is proven, what is not, what settles it."""

import shlex
from collections.abc import Sequence
from math import ceil
from pathlib import Path
from typing import TYPE_CHECKING

from toolkit import api, units
from toolkit.verdict import Verdict

if TYPE_CHECKING:
    from toolkit.parity.compare import Comparison
    from toolkit.parity.result import Verified

# What is trained on where MNIST cannot be had, and the test images of MNIST.
SAMPLE = "sample"
FULL = "toolkit run --data mnist"
FULL_IMAGES = 10_000


def lines(verified: "Verified", *, model: str, choice: str, code: Sequence[str]) -> list[str]:
    """Return sentences. choice: the data that the run was trained on, as ``--data`` takes it.

    code: the options by which the model may run code of the user's own.
    """
    every, rows = verified.comparisons, f"{verified.noun}s"
    by_verdict = {verdict: [c for c in every if c.verdict == verdict] for verdict in Verdict}
    proven, undecided = by_verdict[Verdict.PASS], by_verdict[Verdict.INCONCLUSIVE]
    count, margin = f"{verified.dataset['n']:,} test {rows}", every[0].margin_pp
    said = []
    if verified.overlaps:
        said.append(f"the model has learned from some of the {count}: what follows is no accuracy")
    many = {0: f"none of the {len(every)} artifacts is", 1: f"1 of {len(every)} artifacts is"}
    said.append(
        f"{many.get(len(proven), f'{len(proven)} of {len(every)} artifacts are')} proven to be as good: no more than "
        f"{margin:g} percentage points of accuracy are lost (with 95 % confidence, on {count})"
    )
    if undecided:
        said += _undecided(undecided, verified, model=model, choice=choice, code=code)
    for one in by_verdict[Verdict.FAIL]:
        why = one.problem.text if one.problem else f"it loses more than {margin:g} percentage points of accuracy"
        said.append(f"{Path(one.artifact).name} failed: {why}")
    return said


def _undecided(
    undecided: Sequence["Comparison"], verified: "Verified", *, model: str, choice: str, code: Sequence[str]
) -> list[str]:
    rows = f"{verified.noun}s"
    names = units.listed([Path(one.artifact).name for one in undecided])
    measured = [one.figures for one in undecided if one.figures]
    lost = max(figures.loss_pp for figures in measured)
    at_most = max(figures.bounds_pp[1] for figures in measured)
    needed = [one.images_to_decide for one in undecided]
    about = f", about {max(number for number in needed if number):,} in all" if all(needed) else ""
    wider = ["toolkit", "verify", str(verified.subject), "--margin", f"{ceil(at_most * 10) / 10:g}"]
    wider += [] if choice in {source.name for source in api.list_data() if source.is_named} else ["--data", choice]
    wider += code
    own = [] if model == "cnn" else ["--model", model]
    full = shlex.join([*FULL.split(), *own, *code])
    more = f" ({full}, once MNIST can be fetched, has {FULL_IMAGES:,})" if choice == SAMPLE else ""
    return [
        f"{verified.dataset['n']:,} {rows} are too few to prove that of {names}. Nothing is wrong there: on these "
        f"{rows} {f'at most {lost:.2f} points were lost' if lost > 0 else 'no accuracy was lost'}",
        f"more test {rows} would settle it{about}{more}",
        f"or allow more to be lost, as little as these {rows} can prove: {shlex.join(wider)}",
    ]
