"""Where a study is while it runs: a line for each run, and how long the rest will take."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from toolkit import units, words
from toolkit.study import outcome
from toolkit.study.executors.base import ENDED, STARTED, Event
from toolkit.study.outcome import TrialOutcome
from toolkit.study.study import Study
from toolkit.study.trials import Trial, TrialState

# The order of lines if not all fit on the screen: what goes on, what went wrong, what is next, what is done.
_PROMINENCE = (
    TrialState.RUNNING, TrialState.CRASHED, TrialState.DIVERGED, TrialState.GIVEN_UP,
    TrialState.UNFINISHED, TrialState.WAITING, TrialState.FINISHED,
)  # fmt: skip


@dataclass
class _Line:
    trial: Trial
    name: str
    state: TrialState
    epochs: int
    accuracy: float | None
    seconds: float

    @property
    def left(self) -> int:
        """Epochs that are still to be trained."""
        return 0 if self.state in (*outcome.ENDED, TrialState.CRASHED) else self.trial.recipe.epochs - self.epochs


class Board:
    """The state of every run, kept up to date by events. clock: seconds, of any start."""

    def __init__(self, study: Study, *, jobs: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._lines = {one.trial.folder: _line(one) for one in study.outcomes}
        for line in self._lines.values():
            if line.state == TrialState.CRASHED:  # in an earlier call; it is due again
                line.state = TrialState.UNFINISHED if line.epochs else TrialState.WAITING
        self._jobs = jobs
        self._clock = clock
        self._epoch_ended: dict[str, float] = {}
        # Wall time between the ends of epochs, by model: what an epoch really takes, its checkpoint included.
        self._epoch_s: dict[str, list[float]] = {}

    def note(self, event: Event) -> None:
        """Take in what happened."""
        line, now = self._lines[event.trial.folder], self._clock()
        key = event.trial.folder.name
        if event.kind == STARTED:
            line.state = TrialState.RUNNING
        elif event.kind == ENDED:
            self._lines[event.trial.folder] = _line(outcome.read(event.trial))
        elif event.epoch is not None:
            line.epochs, line.accuracy = event.epoch.epoch, event.epoch.val_accuracy
            line.seconds += event.epoch.seconds
            if key in self._epoch_ended:  # the first is longer: it begins with the import and the compiling
                model = event.trial.recipe.model
                self._epoch_s.setdefault(model, []).append(now - self._epoch_ended[key])
            self._epoch_ended[key] = now

    @property
    def epochs(self) -> tuple[int, int]:
        """How many epochs are done, and how many there will be."""
        done = sum(line.epochs for line in self._lines.values())
        return done, done + sum(line.left for line in self._lines.values())

    @property
    def share(self) -> float:
        """How many of all epochs are done, in [0, 1]."""
        done, total = self.epochs
        return done / total if total else 1.0

    def headline(self) -> str:
        """Say how many runs are done, and how long the others will take."""
        states = [line.state for line in self._lines.values()]
        parts = [f"{states.count(TrialState.FINISHED)} of {len(states)} runs finished"]
        parts += [
            f"{states.count(state)} {state}" for state in (TrialState.DIVERGED, TrialState.CRASHED) if state in states
        ]
        left_s, known = self._left_s()
        if left_s:
            parts.append(f"about {units.seconds(left_s)} left" if known else f"more than {units.seconds(left_s)} left")
        return ", ".join(parts)

    def rows(self) -> list[tuple[str, ...]]:
        """Return for each run its name, state, epochs, last validation accuracy, training time and time left.

        What matters most comes first.
        """
        lines = sorted(self._lines.values(), key=lambda line: _PROMINENCE.index(line.state))
        return [self._row(line) for line in lines]

    def _row(self, line: _Line) -> tuple[str, ...]:
        mean_s = self._mean_s(line)
        left = units.seconds(line.left * mean_s) if line.state == TrialState.RUNNING and mean_s else ""
        return (
            line.name,
            line.state,
            f"{line.epochs}/{line.trial.recipe.epochs}",
            units.percent(line.accuracy) if line.accuracy is not None else "",
            units.seconds(line.seconds) if line.seconds else "",
            left,
        )

    def _mean_s(self, line: _Line) -> float | None:
        """Return what an epoch of the model takes: as measured now, else as runs of before say."""
        model = line.trial.recipe.model
        measured = self._epoch_s.get(model)
        if measured:
            return sum(measured) / len(measured)
        same = [other for other in self._lines.values() if other.trial.recipe.model == model]
        epochs = sum(other.epochs for other in same)
        return sum(other.seconds for other in same) / epochs if epochs else None

    def _left_s(self) -> tuple[float, bool]:
        """Return the seconds that are left, and whether every model's epochs have been timed."""
        means = [(line.left, self._mean_s(line)) for line in self._lines.values() if line.left]
        total = sum(left * mean for left, mean in means if mean)
        return total / self._jobs, all(mean for _, mean in means)


def _line(one: TrialOutcome) -> _Line:
    history = one.progress.history
    accuracy = history[-1].val_accuracy if history else None
    name = words.run(one.configuration, seed=one.trial.recipe.seed)
    return _Line(one.trial, name, one.state, len(history), accuracy, one.seconds)
