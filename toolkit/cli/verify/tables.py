"""The tables of ``toolkit verify``, and what their columns hold."""

from pathlib import Path
from typing import TYPE_CHECKING

from toolkit import units
from toolkit.console import Column, Console
from toolkit.verdict import Verdict

if TYPE_CHECKING:
    from toolkit.parity.compare import Comparison
    from toolkit.parity.result import Parity, Verified

# Of a verdict.
EXIT_CODES = {Verdict.PASS: 0, Verdict.FAIL: 1, Verdict.INCONCLUSIVE: 3}
FIGURES = {
    "accuracy": "share of the test images that the artifact gets right",
    "change": "of the accuracy from the reference's, in percentage points, with Tango's 95 % score interval",
    "lost/gained": "images that only the reference gets right, and that only the artifact does",
    "changed": "images put into another class than the reference puts them, right or wrong",
    "p": "how probable so uneven a lost/gained is between equally good models (exact McNemar test)",
    "at most lost": "95 % upper bound of the accuracy lost, in percentage points; the verdict rests on it",
    "divergence": "mean Kullback-Leibler divergence of the probabilities from the reference's, in nats",
}
GOLDEN_FIGURES = {
    "flips, Keras": "images of golden.npz put into another class than Keras puts them",
    "difference, Keras": "the largest of any output from Keras'",
    "flips, recorded": "images put into another class than the artifact itself did on the machine that exported it",
    "difference, recorded": "the largest of any output from there; LSB: in steps of an int8 output",
}
GOLDEN_RULE = "outputs are those of the machine that exported; golden.npz measures no accuracy"
# Of a runtime that did not run the artifact there.
OTHER_RULE = "outputs are as near Keras' as the arithmetic allows; golden.npz measures no accuracy"


def report(console: Console, parity: "Parity", *, undecided: str = Verdict.INCONCLUSIVE) -> None:
    """Print a table for the test set and one for golden, if there are both, the problems, and the verdict.

    undecided: the word for what the test images are too few to decide.
    """
    for by_golden in (False, True):
        kind = [part for part in parity.parts if part.by_golden == by_golden]
        if not kind:
            continue
        figures = GOLDEN_FIGURES if by_golden else FIGURES
        columns = [Column("artifact", figures=False), *map(Column, figures), Column("verdict", figures=False)]
        console.table(columns, [_row(c, p, undecided) for p in kind for c in p.comparisons])
        for part in kind:
            for comparison in part.comparisons:
                print_problem(console, comparison, noun=part.noun)
            console.text(_measured_on(part))
    if told := [comparison.measured_on for comparison in parity.comparisons if comparison.measured_on]:
        runtimes = ", ".join(dict.fromkeys(on.runtime for on in told))
        console.text(f"measured on {told[0].kernels or 'a CPU whose instruction sets are not told'}, by {runtimes}")
    console.text(f"verdict: {_word(parity.verdict, undecided)}")
    for rule in dict.fromkeys(_rule(part) for part in parity.parts):
        console.text(f"to pass: {rule}")


def explain(console: Console, parity: "Parity") -> None:
    """Print what the columns hold."""
    for by_golden, figures in ((False, FIGURES), (True, GOLDEN_FIGURES)):
        nouns = {part.noun for part in parity.parts if part.by_golden == by_golden}
        noun = "row" if nouns == {"row"} else "image"
        for figure, meaning in figures.items() if nouns else ():
            console.text(f"  {figure}: {meaning.replace('image', noun)}")


def golden_row(comparison: "Comparison") -> tuple[str, ...]:
    """Return the cells of GOLDEN_FIGURES, between the name and the verdict."""
    name, verdict = Path(comparison.artifact).name, str(comparison.verdict)
    figures, recorded = comparison.figures, comparison.recorded
    if figures is None:
        return (name, *["–"] * len(GOLDEN_FIGURES), verdict)
    reference = (str(figures.changed), f"{figures.max_abs_error:.2g}")
    if recorded is None:
        return (name, *reference, "–", "–", verdict)
    lsb = recorded.max_lsb
    difference = f"{recorded.max_abs_error:.2g}" if lsb is None else f"{lsb:.0f} LSB"
    return (name, *reference, str(recorded.flips), difference, verdict)


def _row(comparison: "Comparison", part: "Verified", undecided: str) -> tuple[str, ...]:
    if part.by_golden:
        return golden_row(comparison)
    name = Path(comparison.artifact).name
    measured = comparison.figures
    if measured is None:
        return (name, *["–"] * len(FIGURES), comparison.verdict)
    low, high = measured.change_ci95_pp
    figures = (
        units.percent(measured.accuracy),
        f"{0.0 - measured.loss_pp:+.2f} [{low:+.2f}, {high:+.2f}]",
        f"{measured.lost}/{measured.gained}",
        str(measured.changed),
        f"{measured.mcnemar_p:.2g}",
        f"{measured.bounds_pp[1]:.2f}",
        f"{measured.kl_mean:.1e}",
    )
    cells = (*figures, _word(comparison.verdict, undecided))
    return (name, *(units.marked(cell, overlap=part.overlaps) for cell in cells))


def _word(verdict: str, undecided: str) -> str:
    return undecided if verdict == Verdict.INCONCLUSIVE else verdict


def print_problem(console: Console, comparison: "Comparison", *, noun: str = "image") -> None:
    """Print why an artifact fails or what the test set cannot tell, and what is to be known of it on other CPUs."""
    path = comparison.artifact
    if comparison.problem:
        cause = f" ({comparison.cause})" if comparison.cause else ""
        console.text(f"{path}: {comparison.problem.text.removeprefix(f'{path}: ')}{cause}")
    elif comparison.verdict == Verdict.INCONCLUSIVE:
        needed = comparison.images_to_decide
        enough = f"about {needed:,} {noun}s would tell" if needed else f"no number of {noun}s would tell"
        console.text(f"{path}: {comparison.n:,} {noun}s cannot tell; at these rates {enough}")
    for note in comparison.portability.notes if comparison.portability else ():
        if comparison.problem is None or note not in comparison.problem.text:
            console.text(f"{path}: {note}")


def _rule(part: "Verified") -> str:
    if part.by_golden:
        return OTHER_RULE if any(one.figures and not one.recorded for one in part.comparisons) else GOLDEN_RULE
    margin = part.comparisons[0].margin_pp
    if part.overlaps:
        learned = f"{part.noun}s it has learned from"
        return f"at most {margin:g} points fewer right; shows equal outputs on {learned}, not accuracy"
    return f"with 95 % confidence no more than {margin:g} percentage points of accuracy are lost (docs/parity.md)"


def _measured_on(part: "Verified") -> str:
    data = part.dataset
    first = next((c.figures for c in part.comparisons if c.figures), None)
    accuracy = ""
    if first and not part.by_golden:
        marked = units.marked(units.percent(first.reference_accuracy), overlap=part.overlaps)
        accuracy = f", {'Keras ' if part.manifest else ''}{marked}"
    text = f"{part.subject}{accuracy}: {data['n']} {part.noun}s ({data['name']}, {data['split']}, "
    text += f"sha256 {data['sha256'][:12]})"
    for shared in data["overlap"]:
        learned = f"{shared['other']} {part.noun}s of the model"
        text += f"; {units.MARK} not an accuracy: {shared['count']:,} of them are {learned}"
    return text
