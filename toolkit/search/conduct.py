"""Carry out a search: ask for a candidate, find out what it takes, train it if it fits, and go on until time is up."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from toolkit import locks, units
from toolkit.data.base import Dataset
from toolkit.errors import CheckFailedError, RunError, UsageError
from toolkit.export.sources import Source
from toolkit.files import documents, write_json
from toolkit.runs import SCRATCH
from toolkit.search import candidates, finals, space
from toolkit.search.budgets import COSTS, OF_FILE, SIZE, Budgets, Costs, MeasuredCost
from toolkit.search.candidates import TRIAL, Rejected, SearchCandidateEntry
from toolkit.search.costs import Costing
from toolkit.search.experiment import CANDIDATE
from toolkit.search.front import floors
from toolkit.search.proof import FRONT
from toolkit.search.proposals import propose
from toolkit.search.prove import EXPORTED, prove, require_same_rival
from toolkit.search.search import DOCUMENT, Search, as_it_stands
from toolkit.search.space import Choice
from toolkit.step import OnStep, Step, ignore
from toolkit.study import outcome, study
from toolkit.study.executors.base import ENDED, Event, Executor
from toolkit.study.trials import Trial, TrialState

# How often a proposal may be too costly before the next one is the smallest network: few budgets allow so few.
ATTEMPTS = 100
# So many crashes in a row are not the fault of single recipes.
MOST_CRASHES = 3
# What may be asked for: from a few seconds to a year.
MOST_TRIALS, HOURS = 10_000, (0.001, 24 * 365)


@dataclass(frozen=True)
class Limits:
    """When a search ends: no training begins after so many of them, or hours."""

    trials: int | None = None
    hours: float | None = None

    def __post_init__(self) -> None:
        if self.trials is not None:
            units.require_from("--trials", self.trials, 1, MOST_TRIALS)
        if self.hours is not None:
            units.require_from("--hours", self.hours, *HOURS)

    def are_reached(self, *, trials: int, spent_s: float) -> bool:
        """Say whether nothing more begins."""
        is_over = self.hours is not None and spent_s >= 3600 * self.hours
        return is_over or (self.trials is not None and trials >= self.trials)


def conduct(
    search: Search,
    dataset: Dataset,
    executor: Executor,
    costing: Costing,
    limits: Limits,
    *,
    rival: Source | None = None,
    must_match: bool = False,
    device: str = "auto",
    clock: Callable[[], float] = time.monotonic,
    warn: Callable[[str], None],
    on_step: OnStep = ignore,
) -> Search:
    """Search until a limit is reached, open the test set for what is left, and return the search with its proof.

    One whose test set was opened is returned as it is. Whenever it ends, also by a kill, what was trained is on the
    disk, and the next call goes on there. Raises UsageError, before anything is trained, if nothing can meet the
    budgets, RunError if the folder has come to have another search, one that was measured by something else, or one
    whose test set was opened beside another rival.
    """
    with locks.alone(search.folder, "search", otherwise="choose another --name"):
        search = as_it_stands(search)  # another process may have gone on with it before it was locked
        if search.proof is not None:
            require_same_rival(search.folder, search.proof, rival if must_match else None)
            return search
        for below in ("*/", f"*/{EXPORTED}/*/"):
            locks.remove_dead_locks(search.folder, below, beside=f"{SCRATCH}*")
        conductor = _Conductor(search, executor.jobs, costing, limits, clock, on_step)
        work = study.work_on(search.data, search.folder / DOCUMENT, device)
        for due in (conductor.due, conductor.due_again):  # what is trained again depends on all that was trained before
            with closing(executor(due(), work)) as events:
                for event in events:
                    conductor.note(event)
        if not all(one.outcome.ended for one in conductor.search.finalists):
            return conductor.search
        return prove(conductor.search, dataset, rival, must_match=must_match, warn=warn, on_step=on_step)


class _Conductor:
    """The search as it goes on."""

    def __init__(
        self,
        search: Search,
        jobs: int,
        costing: Costing,
        limits: Limits,
        clock: Callable[[], float],
        on_step: OnStep,
    ) -> None:
        self.search = replace(search, jobs=tuple(sorted({*search.jobs, jobs})))
        self._costing = costing
        self._limits = limits
        self._clock = clock
        self._on_step = on_step
        self._began_s, self._before_s = clock(), search.spent_s
        self._crashes: list[str] = []

    def due(self) -> Iterator[Trial]:
        """Yield what is trained next, when there is room for it: what was begun before, then what is proposed."""
        if (self.search.folder / FRONT).is_file() or self.search.finalists:
            return  # it is chosen: the test set may have been opened
        fitting = require_possible(self._costing, self.search.asked.budgets, on_step=self._on_step)
        self._require_comparable(fitting)
        self._save()
        left = [one for one in self.search.candidates if not one.outcome.ended]
        yield from [self._trial(one.choice, one.costs, one.folder) for one in left]
        while not self._limits.are_reached(trials=len(self.search.candidates), spent_s=self.search.spent_s):
            if len(self._crashes) >= MOST_CRASHES:
                raise CheckFailedError(
                    f"{len(self._crashes)} trainings on end have crashed, the last: {self._crashes[-1]}"
                )
            number = 1 + max((one.number for one in self.search.candidates), default=0)
            entry = self._next(number, fitting)
            folder = self.search.folder / f"{TRIAL}{number:03}"
            write_json(folder / CANDIDATE, {"schema": 1, **documents.to_tree(entry)})
            one = candidates.read(self.search.asked, self.search.data, folder)
            self.search = replace(self.search, candidates=(*self.search.candidates, one))
            self._save()
            yield self._trial(entry.choice, entry.costs, folder)

    def due_again(self) -> Iterator[Trial]:
        """Yield what is trained again in the end; which that is, is written before."""
        search = self.search
        if (search.folder / FRONT).is_file() or not search.asked.final_epochs:
            return
        if not search.finalists:
            chosen = finals.choose(search.finished, search.asked)
            if not chosen:
                return
            finals.write(search.folder, chosen)
            again = (one.as_finalist(search.asked, search.data) for one in chosen)
            self.search = replace(search, candidates=(*search.candidates, *again))
            names = units.listed([one.name for one in chosen])
            self._tell(f"trained again, for {units.count(search.asked.final_epochs, 'epoch')}: {names}", True)
        yield from [one.outcome.trial for one in self.search.finalists if not one.outcome.ended]

    def note(self, event: Event) -> None:
        """Take in what happened, and tell it."""
        name = event.trial.folder.name
        if event.kind == ENDED:
            before = self.search.named(name)
            one = replace(before, outcome=outcome.read(before.outcome.trial))
            others = self.search.candidates
            self.search = replace(self.search, candidates=tuple(one if old.name == name else old for old in others))
            self._save()
            is_crash = one.outcome.state == TrialState.CRASHED
            self._crashes = [*self._crashes, one.outcome.message] if is_crash else []
            self._tell(f"{name}: {one.choice.model}, {one.costs}: {one.outcome.came_to}", True)
        elif event.epoch is not None:
            self._save()  # a kill in the next epoch loses the time of that one alone
            epochs = f"epoch {event.epoch.epoch} of {event.trial.recipe.epochs}"
            self._tell(f"{name}: {epochs}, {units.percent(event.epoch.val_accuracy)}", False)

    def _tell(self, text: str, is_news: bool) -> None:
        every = self.search.candidates
        done = sum(one.outcome.ended for one in every)
        self._on_step(Step(done, max(self._limits.trials or done + 1, len(every)), text, self.search, is_news=is_news))

    def _save(self) -> None:
        """Write how long it took."""
        self.search = replace(self.search, spent_s=self._before_s + self._clock() - self._began_s)
        self.search.write()

    def _trial(self, choice: Choice, costs: Costs, folder: Path) -> Trial:
        asked = self.search.asked
        least = floors(costs, self.search.finished, epochs=asked.epochs)
        return Trial(asked.recipe(choice), folder, self.search.data["digests"], least, opens_test=False)

    def _require_comparable(self, fitting: Choice) -> None:
        """Raise RunError if the candidates were measured by something else than what measures here."""
        for cost in self.search.asked.budgets.measured:
            every = (self._costing.costs_of(fitting.model), *(one.costs for one in self.search.candidates))
            measured: list[MeasuredCost | None] = [getattr(costs, cost.field) for costs in every]
            places = dict.fromkeys(one.where for one in measured if one is not None)
            if len(places) > 1:
                raise RunError(
                    f"{self.search.folder}: {cost.heading} measured by {' and by '.join(places)} cannot be compared; "
                    "go on where the search was begun, or choose another --name"
                )

    def _next(self, number: int, fitting: Choice) -> SearchCandidateEntry:
        """Return a proposal that fits the budgets, with those that did not."""
        search, budgets = self.search, self.search.asked.budgets
        tried = [one.result for one in search.candidates if one.outcome.state != TrialState.CRASHED]
        before, rejected = search.rejected, list[Rejected]()
        while True:
            known = [*tried, *(one.result for one in (*before, *rejected))]
            seen = {one.choice for one in search.candidates} | {one.choice for one in (*before, *rejected)}
            choice = next((one for one in self._first(number) if one not in seen), None) or propose(
                known, budgets, seed=search.asked.seed, number=number, attempt=len(rejected)
            )
            if len(rejected) == ATTEMPTS:  # it fits by what this call has found; an earlier one may have timed more
                choice = replace(fitting, learning_rate=choice.learning_rate)
                return SearchCandidateEntry(choice, self._costing.costs_of(choice.model), tuple(rejected))
            costs = self._known(choice, (*before, *rejected)) or self._costing.costs_of(choice.model)
            if not budgets.excess(costs):
                return SearchCandidateEntry(choice, costs, tuple(rejected))
            rejected.append(Rejected(choice, costs))

    def _first(self, number: int) -> Iterator[Choice]:
        """Yield what is tried before anything is proposed. number: of the candidate; later ones need no look."""
        yield from space.usual()
        if number <= 2 * len(space.usual()):
            yield from self._widest

    @cached_property
    def _widest(self) -> list[Choice]:
        """The usual networks, each as wide as the budgets allow; none if nothing is limited."""
        budgets = self.search.asked.budgets
        if not any(map(budgets.limit, COSTS)):
            return []

        def fits(choice: Choice) -> bool:
            return not budgets.excess(self._costing.costs_of(choice.model))

        return [one for usual in space.usual() if (one := space.widest(usual, fits))]

    def _known(self, choice: Choice, rejected: Sequence[Rejected]) -> Costs | None:
        """Return what is known of a network already: its own costs, or those of one in it that is too large itself."""
        budgets = self.search.asked.budgets
        own = {one.choice.model: one.costs for one in rejected}
        own |= {one.choice.model: one.costs for one in self.search.candidates}
        within = (one.costs for one in rejected if choice.contains(one.choice) and budgets.excess(one.costs, OF_FILE))
        return own.get(choice.model) or next(within, None)


def require_possible(costing: Costing, budgets: Budgets, *, on_step: OnStep = ignore) -> Choice:
    """Return a network that fits; UsageError, with what the smallest one takes, if there is none."""
    every = list(space.smallest())
    tried: list[tuple[Choice, Costs]] = []
    for number, choice in enumerate(every):
        on_step(Step(number, len(every), "looking for a network that fits"))
        if any(choice.deepens(smaller) and SIZE.option in budgets.excess(costs) for smaller, costs in tried):
            continue
        costs = costing.costs_of(choice.model)
        if not budgets.excess(costs):
            return choice
        tried.append((choice, costs))
    raise UsageError(f"no network fits {budgets}: {_nearest(tried, budgets)}; nothing was trained")


def _nearest(tried: Sequence[tuple[Choice, Costs]], budgets: Budgets) -> str:
    """Say what the smallest networks take: of each budget that none meets, else of all budgets together.

    If there are some that are within all that a file tells, they alone were measured, and are the nearest.
    """
    tried = [one for one in tried if not budgets.excess(one[1], OF_FILE)] or tried
    parts = []
    for cost in COSTS:
        if all(cost.option in budgets.excess(costs) for _, costs in tried):
            choice, costs = min(tried, key=lambda one: budgets.excess(one[1])[cost.option])
            parts.append(f"the smallest takes {cost.describe(costs)} {cost.noun} ({choice.model})")
    if parts:
        return ", ".join(parts)
    choice, costs = min(tried, key=lambda one: max(budgets.excess(one[1]).values()))
    return f"the nearest takes {costs} ({choice.model})"
