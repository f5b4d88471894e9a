"""Searches without training: costs and accuracies that are known beforehand."""

import re

from tests.study.made_up import progress
from toolkit.files import write_json
from toolkit.runs import METRICS
from toolkit.search.asked import SearchRequest
from toolkit.search.budgets import Budgets, Costs
from toolkit.search.space import Choice
from toolkit.study import outcome
from toolkit.study.executors.base import ENDED, EPOCH, STARTED, Event
from toolkit.study.trials import TrialState, record_failure
from toolkit.training import checkpoint

ASKED = SearchRequest(Budgets(max_size_bytes=10_000.0), epochs=3, final_epochs=0)
SMALL, LARGE = Costs(2_000, 10_000, 500, 100), Costs(9_000, 90_000, 900, 900)


def choice(width=4, *, depth=2, kernel=3, conv="plain", reduce="pool", rate=0.001):
    return Choice(width, depth, kernel, conv, reduce, rate)


def takes(model):
    """What a network takes: more with its width and depth alone."""
    width, depth = (int(number) for number in re.findall(r"(?:width|depth)=(\d+)", model))
    return Costs(size_bytes=1_000 * width + 100 * depth, macs=5_000 * width, memory_bytes=100 * width, parameters=width)


class Costing:
    """Knows what networks take without a conversion, and remembers which were asked for."""

    def __init__(self):
        self.asked = []

    def costs_of(self, model):
        self.asked.append(model)
        return takes(model)


class Learned:
    """Carries out runs that come to what ``story(recipe)`` says: accuracies, or the state that they fail with."""

    def __init__(self, story, *, stop_after=None, jobs=1):
        self.jobs, self.story, self.stop_after, self.trained = jobs, story, stop_after, []

    def __call__(self, due, work):
        for trial in due:
            yield Event(trial, STARTED)
            if len(self.trained) == self.stop_after:
                raise KeyboardInterrupt
            self.trained.append(trial)
            told = self.story(trial.recipe)
            if isinstance(told, TrialState):
                record_failure(trial, told, "it was told to")
            else:
                learned(trial, told)
                yield from (Event(trial, EPOCH, epoch) for epoch in outcome.read(trial).progress.history)
            yield Event(trial, ENDED)


def learned(trial, accuracies):
    """Write what a training leaves, without its weights."""
    of = progress(accuracies)
    checkpoint.save_state(trial.folder / checkpoint.STATE, variables={}, progress=of)
    metrics = {"epochs_run": len(accuracies), "best_epoch": of.best_epoch, "monitor": "val_accuracy"}
    write_json(trial.folder / METRICS, {**metrics, "best_value": of.best_value, "test_accuracy": None})
