"""How a claim is weighed: matched configurations are cases for or against it, and their share makes the verdict."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import combinations
from typing import Any, Protocol

from toolkit import words
from toolkit.interval import Interval
from toolkit.study import statistics
from toolkit.study.grid import AXES
from toolkit.study.outcome import TrialOutcome
from toolkit.study.study import Study

# The share of decided cases from which a claim holds; below the rest of it, it does not.
MOST = 0.9
# The fewest cases that can tell: the 95 % interval of 4 of 4 (0.51 to 1) is above one half, that of 3 of 3 is not.
FEWEST_CASES = 4
# The validation accuracies that training is timed to; claims are judged by the first.
TARGETS = (0.95, 0.98, 0.99)

AxisValues = Mapping[str, Any]
Pairs = list[tuple[TrialOutcome, TrialOutcome]]
# What a pair of runs says: for or against, None for neither; and the measured quantity, if it has it.
SeedReading = tuple[bool | None, float | None]


class ClaimVerdict(StrEnum):
    """What the study says of a claim; ``UNDECIDED``: too few cases can tell."""

    HOLDS = "holds"
    FAILS = "does not hold"
    DEPENDS = "depends"
    UNDECIDED = "undecided"


@dataclass(frozen=True)
class Case:
    """A configuration with all its seeds. figures: the measured quantity, one for each seed that has it.

    supports: whether more of its seeds speak for the claim than against it; None if as many do, or none.
    """

    configuration: AxisValues
    supports: bool | None
    figures: tuple[float, ...]


@dataclass(frozen=True)
class Table:
    """Figures as texts: a heading for each column, and rows."""

    headings: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Cell:
    """Cases that have the same values on some axes."""

    values: AxisValues
    supporting: int
    decided: int


@dataclass(frozen=True)
class ClaimJudgement:
    """What cases say together. depends_on: the cells that differ, if the verdict is ``depends``."""

    verdict: ClaimVerdict
    cases: tuple[Case, ...]
    share: Interval | None
    figure: statistics.Median | None
    depends_on: tuple[Cell, ...] = ()

    @property
    def decided(self) -> int:
        """How many cases speak for or against."""
        return sum(case.supports is not None for case in self.cases)

    @property
    def supporting(self) -> int:
        """How many cases speak for."""
        return sum(case.supports is True for case in self.cases)

    def sentence(self) -> str:
        """Say what the verdict rests on."""
        if not self.cases:
            return "The runs that have ended hold no two that the claim compares"
        if not self.decided:
            return f"None of {len(self.cases)} matched configurations decides"
        parts = [f"{self.supporting} of {self.decided} deciding configurations support it"]
        if self.share:
            low, high = self.share.low * 100, self.share.high * 100
            parts[0] += f" (95 % interval of the share: {low:.0f} to {high:.0f} %)"
        if self.verdict == ClaimVerdict.UNDECIDED:
            parts.append(f"Fewer than {FEWEST_CASES} cannot tell")
        if self.depends_on:
            axes = " and ".join(words.AXIS_WORDS[axis] for axis in self.depends_on[0].values)
            cells = (f"{words.configuration(c.values)} {c.supporting} of {c.decided}" for c in self.depends_on)
            parts.append(f"It depends on {axes}: {'; '.join(cells)}")
        elif self.verdict == ClaimVerdict.DEPENDS:
            parts.append("No axis of the grid tells which do")
        return ". ".join(parts)


@dataclass(frozen=True, kw_only=True)
class Weighed:
    """What a study says of a claim. figure: the measured quantity with its interval, in words.

    but: why the claim does not hold whatever the cases say; empty if there is no such reason.
    """

    judgement: ClaimJudgement
    figure: str
    tables: tuple[Table, ...]
    but: str = ""

    @property
    def verdict(self) -> ClaimVerdict:
        """That of the cases, unless something speaks against it."""
        return ClaimVerdict.FAILS if self.but else self.judgement.verdict

    @property
    def summary(self) -> str:
        """What the verdict rests on."""
        sentence = self.judgement.sentence()
        return f"{sentence}. But {self.but}" if self.but else sentence


class ClaimModule(Protocol):
    """What a module in this folder has; its docstring is the criterion that the report prints.

    CHARTS: prefixes of the names of the charts that show the claim.
    """

    __doc__: str | None
    LETTER: str
    CLAIM: str
    CHARTS: tuple[str, ...]

    def weigh(self, study: Study) -> Weighed:
        """Return what the study says of the claim."""


@dataclass(frozen=True, kw_only=True)
class WeighedClaim(Weighed):
    """The same with the claim. criterion: paragraphs. charts: prefixes of the names of the charts that show it.

    left_out: how many runs have not ended, and so have no part in it.
    """

    letter: str
    claim: str
    criterion: str
    charts: tuple[str, ...]
    left_out: int

    def to_json(self) -> dict[str, Any]:
        """Return the claim as ``toolkit study --json`` has it."""
        share, figure = self.judgement.share, self.judgement.figure
        return {
            "letter": self.letter,
            "claim": self.claim,
            "verdict": self.verdict,
            "summary": self.summary,
            "figure": self.figure,
            "supporting": self.judgement.supporting,
            "decided": self.judgement.decided,
            "cases": len(self.judgement.cases),
            "share_ci95": [share.low, share.high] if share else None,
            "figure_median": figure.value if figure else None,
            "figure_ci95": [figure.low, figure.high] if figure and figure.is_interval else None,
            "figure_n": figure.count if figure else 0,
            "depends_on": [
                {**cell.values, "supporting": cell.supporting, "decided": cell.decided}
                for cell in self.judgement.depends_on
            ],
            "left_out": self.left_out,
        }


def matched(study: Study, axis: str, left: object, right: object) -> Iterator[tuple[AxisValues, Pairs]]:
    """Yield (configuration, pairs) of runs that differ in nothing but ``axis``: one pair for each seed with both ended.

    Configurations lack the axis; one of which no pair has ended is left out.
    """
    groups: dict[tuple[Any, ...], dict[tuple[int, object], TrialOutcome]] = {}
    others = [name for name in AXES if name != axis]
    for one in study.outcomes:
        values = one.configuration
        if one.ended:
            key = tuple(values[name] for name in others)
            groups.setdefault(key, {})[one.trial.recipe.seed, values[axis]] = one
    for key, runs in groups.items():
        pairs = [
            (runs[seed, left], runs[seed, right])
            for seed in range(study.grid.seeds)
            if (seed, left) in runs and (seed, right) in runs
        ]
        if pairs:
            yield dict(zip(others, key, strict=True)), pairs


def case(configuration: AxisValues, readings: Sequence[SeedReading]) -> Case:
    """Return the case of a configuration from what each seed says."""
    said = Counter(supports for supports, _ in readings)
    supports = None if said[True] == said[False] else said[True] > said[False]
    return Case(configuration, supports, tuple(figure for _, figure in readings if figure is not None))


def cases(
    study: Study, axis: str, left: object, right: object, read: Callable[[TrialOutcome, TrialOutcome], SeedReading]
) -> list[Case]:
    """Return the cases of runs that differ in nothing but ``axis``. read: what a pair of them says."""
    return [case(values, [read(*pair) for pair in pairs]) for values, pairs in matched(study, axis, left, right)]


def judge(cases: Sequence[Case]) -> ClaimJudgement:
    """Return the verdict of the cases that decide, with the interval of their share and the median figure.

    ``holds`` where at least MOST of them support the claim, ``does not hold`` where at most the rest do, else
    ``depends``; ``undecided`` of fewer than FEWEST_CASES.
    """
    decided = [one for one in cases if one.supports is not None]
    figure = statistics.median([one.figures for one in cases])
    if not decided:
        return ClaimJudgement(ClaimVerdict.UNDECIDED, tuple(cases), None, figure)
    share = statistics.share(sum(one.supports is True for one in decided), len(decided))
    verdict, cells = ClaimVerdict.DEPENDS, _explain(decided)
    if len(decided) < FEWEST_CASES:
        verdict, cells = ClaimVerdict.UNDECIDED, ()
    elif max(share.value, 1 - share.value) >= MOST:
        verdict, cells = ClaimVerdict.HOLDS if share.value >= MOST else ClaimVerdict.FAILS, ()
    return ClaimJudgement(verdict, tuple(cases), share, figure, cells)


def above_chance(study: Study, accuracy: float) -> float:
    """Return how far an accuracy is above chance: 0 at chance (one class of all), 1 at 100 %."""
    chance = 1 / int(study.data["classes"])
    return (accuracy - chance) / (1 - chance)


def learned(study: Study, outcome: TrialOutcome) -> float:
    """Return how far the best validation accuracy is above chance."""
    return above_chance(study, outcome.best_validation_accuracy)


def show(figure: statistics.Median | None, text: Callable[[float], str]) -> str:
    """Return the median figure in words, with its interval or its range and the number of configurations."""
    if figure is None:
        return "not measured"
    if figure.count == 1:
        return f"{text(figure.value)} (one configuration)"
    kind = "95 % interval" if figure.is_interval else "range"
    reach = f"{kind} {text(figure.low)} to {text(figure.high)}"
    return f"median {text(figure.value)} ({reach}, {figure.count} configurations)"


def _explain(decided: Sequence[Case]) -> tuple[Cell, ...]:
    """Return the cells of the axis, or of the two axes, whose values best separate supporting from opposing cases.

    A case is separated if it is of the majority of its cell. More cases must be separated than are of the majority of
    all cases; else no cells are returned. Two axes are tried if one does not separate MOST of the cases. Cells of one
    case each would separate anything, so there must be two cases a cell on average.
    """
    supporting = sum(one.supports is True for one in decided)
    separated = max(supporting, len(decided) - supporting)
    best: tuple[Cell, ...] = ()
    axes = [axis for axis in AXES if len({str(one.configuration.get(axis)) for one in decided}) > 1]
    for count in (1, 2):
        for chosen in combinations(axes, count):
            cells = _cells(decided, chosen)
            count_separated = sum(max(cell.supporting, cell.decided - cell.supporting) for cell in cells)
            if len(cells) * 2 <= len(decided) and count_separated > separated:
                separated, best = count_separated, cells
        if best and separated / len(decided) >= MOST:
            break
    return best


def _cells(decided: Sequence[Case], axes: Sequence[str]) -> tuple[Cell, ...]:
    groups: dict[tuple[Any, ...], list[Case]] = {}
    for one in decided:
        groups.setdefault(tuple(one.configuration[axis] for axis in axes), []).append(one)
    return tuple(
        Cell(dict(zip(axes, key, strict=True)), sum(one.supports is True for one in group), len(group))
        for key, group in groups.items()
    )
