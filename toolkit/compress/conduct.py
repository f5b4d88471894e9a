"""Carry out a compression: make narrower networks that fit, train each with the original as its teacher, prove them."""

from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from math import floor, log
from pathlib import Path
from typing import Any

from toolkit import extras, locks, runs, units
from toolkit.compress import channels, lowrank, prune
from toolkit.compress.candidates import STEP, PrunedCandidateEntry
from toolkit.compress.compression import DOCUMENT, Compression, begin
from toolkit.data.base import Dataset
from toolkit.data.base.parts import divide
from toolkit.errors import CheckFailedError, UsageError
from toolkit.export.sources import Source
from toolkit.files import documents, write_json
from toolkit.runtimes.keras.fake_quantization import bounds_of
from toolkit.search.budgets import SIZE, Budgets, Costs
from toolkit.search.costs import Costing
from toolkit.search.experiment import CANDIDATE
from toolkit.search.proof import FRONT
from toolkit.search.prove import EXPORTED, Chosen, front_of, open_test_set
from toolkit.step import OnStep, Step, ignore
from toolkit.study import study
from toolkit.study.executors.base import ENDED, Event, Executor
from toolkit.study.trials import Trial, TrialState
from toolkit.training import inputs, transfer
from toolkit.training.checkpoint import save_best
from toolkit.worker.keras import load_model

# How many steps narrower the next candidate is: it has half the weights between two layers that are both narrower.
APART = 4


def conduct(
    source: Source,
    budgets: Budgets,
    dataset: Dataset,
    folder: Path,
    executor: Executor,
    *,
    epochs: int,
    allow_overlap: bool = False,
    warn: Callable[[str], None],
    on_step: OnStep = ignore,
) -> Compression:
    """Compress ``source``, open the test set for what is left, and return the compression with its proof.

    The first candidate is the widest network whose int8 file fits, the next ones are narrower each, until one no longer
    reaches the accuracy on the validation rows. Whenever it ends, also by a kill, what was trained is on the disk, and
    the next call goes on there. Raises UsageError, before anything is trained, if nothing can meet the budgets.
    """
    with (
        locks.alone(folder, "compress", otherwise="choose another --name"),
        locks.own_temporaries(),  # Keras saves networks by way of a temporary folder
        Costing(dataset, budgets) as costing,
    ):
        for below in ("*/", f"*/{EXPORTED}/*/"):
            locks.remove_dead_locks(folder, below, beside=f"{runs.SCRATCH}*")
        compression = begin(source, budgets, dataset, folder, costing, epochs=epochs, allow_overlap=allow_overlap)
        on_step(
            Step(
                0,
                1,
                f"{source.keras_path}: {compression.original.costs}; {compression.summary}, in {folder}/",
                compression,
                is_news=True,
            )
        )
        if compression.proof is not None:
            return compression
        names = front_of(folder)
        if names is None:
            compression = _train(compression, dataset, executor, costing, on_step)
        left = compression.chosen if names is None else [compression.named(name, by=FRONT) for name in names]
        chosen = Chosen(folder, left, compression.data, budgets, compression.least_accuracy)
        must_match = budgets.min_accuracy is None
        proof = open_test_set(chosen, dataset, source, must_match=must_match, warn=warn, on_step=on_step)
        return replace(compression, proof=proof)


def _train(
    compression: Compression, dataset: Dataset, executor: Executor, costing: Costing, on_step: OnStep
) -> Compression:
    work = study.work_on(compression.data, compression.folder / DOCUMENT, "auto")
    with closing(executor(_due(compression, dataset, costing, on_step), work)) as events:
        for event in events:
            _tell(compression, event, on_step)
    return compression.reread()


def _due(compression: Compression, dataset: Dataset, costing: Costing, on_step: OnStep) -> Iterator[Trial]:
    """Yield what is trained next: each candidate depends on what those before it came to."""
    narrower: _Narrower | None = None
    while True:
        if all(one.outcome.ended for one in compression.candidates):
            narrower = narrower or _Narrower(compression, dataset, costing, on_step)
            following = _next(compression, narrower)
            if following is None:
                return
            compression.write()
            narrower.make(*following, compression.candidate_folder(len(compression.candidates) + 1))
            compression = compression.reread()
        yield compression.candidates[-1].outcome.trial
        compression = compression.reread()
        if (last := compression.candidates[-1]).outcome.state == TrialState.CRASHED:
            raise CheckFailedError(f"{last.name}: {last.outcome.message}")


def _next(compression: Compression, narrower: "_Narrower") -> tuple[int, bool] | None:
    """Return with how many steps the next candidate is made, and whether it is factored; None if none follows.

    The first candidate is only pruned. If a wider network fits once it is factored, that is the second one. Those that
    follow are made as the better of these two, as long as they reach the accuracy.
    """
    last = compression.candidates[-1:]
    if not last:
        return narrower.widest_that_fits(low_rank=False), False
    if len(compression.candidates) == 1 and narrower.has_low_rank:
        steps = narrower.widest_that_fits(low_rank=True)
        if steps < last[0].steps:
            return steps, True
    if len(compression.candidates) == 2 and last[0].low_rank:
        last = compression.candidates
    finished = (one for one in last if one.outcome.state == TrialState.FINISHED)
    reaching = [one for one in finished if one.accuracy >= compression.least_accuracy]
    if not reaching:
        return None
    best = max(reaching, key=lambda one: one.accuracy)
    steps = best.steps + APART
    return None if steps > narrower.most else (steps, best.low_rank)


def _tell(compression: Compression, event: Event, on_step: OnStep) -> None:
    name, epochs = event.trial.folder.name, event.trial.recipe.epochs
    if event.kind == ENDED:
        one = compression.candidate(event.trial.folder)
        on_step(Step(epochs, epochs, f"{name}: {one.costs}: {one.outcome.came_to}", compression, is_news=True))
    elif event.epoch is not None:
        accuracy = units.percent(event.epoch.val_accuracy)
        on_step(Step(event.epoch.epoch, epochs, f"{name}: {accuracy} on the validation rows", compression))


class _Narrower:
    """Makes the original narrower. most: the steps after which no channel is left that could go.

    has_low_rank: whether dense layers of the original can be factored.
    """

    def __init__(self, compression: Compression, dataset: Dataset, costing: Costing, on_step: OnStep) -> None:
        """Load the original; UsageError if it has nothing to prune."""
        self._compression, self._costing, self._on_step = compression, costing, on_step
        self._keras = extras.load("keras")
        self._model = _loaded(Path(compression.asked.teacher))
        self._channels = channels.trace(self._keras, self._model)
        if not self._channels.groups:
            kinds = sorted({type(layer).__name__ for layer in self._model.layers if layer.weights})
            raise UsageError(
                f"{compression.asked.teacher}: has no channels that can go (layers with weights: {', '.join(kinds)}); "
                f"compress makes {', '.join(channels.MAKERS)} layers narrower that stand before the last one"
            )
        parts = divide(dataset, share=compression.asked.validation_split, seed=compression.asked.seed)
        tf = extras.load("tensorflow")
        convention = inputs.file_convention(self._model, Path(compression.asked.teacher), dataset)
        self.has_low_rank = lowrank.factored(self._keras, self._model, self._channels) is not self._model
        self._importance = prune.importance(tf, self._keras, self._model, self._channels, parts, convention)
        # A share that leaves less than 1.5 of the channels leaves one.
        self.most = 1 + floor(log(1.5 / max(self._channels.groups.values())) / log(STEP))

    def widest_that_fits(self, *, low_rank: bool) -> int:
        """Return the fewest steps after which the int8 file fits; UsageError, with what it takes, if none does."""
        budgets = self._compression.asked.budgets
        if SIZE.option in budgets.excess(costs := self._costs(self.most, low_rank=low_rank)):
            raise UsageError(
                f"{self._compression.asked.teacher}: no width fits {budgets}: with one channel a layer it takes "
                f"{costs}; nothing was trained"
            )
        too_wide, fits = -1 if low_rank else 0, self.most  # as wide as it was, it fits at most once it is factored
        while fits - too_wide > 1:
            middle = (too_wide + fits) // 2
            if SIZE.option in budgets.excess(self._costs(middle, low_rank=low_rank)):
                too_wide = middle
            else:
                fits = middle
        return fits

    def make(self, steps: int, low_rank: bool, folder: Path) -> None:
        """Write the network that a candidate starts from, and then what is known of it."""
        folder.mkdir(parents=True, exist_ok=True)
        start = self._compression.start_of(folder)
        save_best(self._narrowed(steps, low_rank=low_rank), start)
        entry = PrunedCandidateEntry(steps, self._costing.costs_of(str(start)), low_rank)
        write_json(folder / CANDIDATE, {"schema": 1, **documents.to_tree(entry)})

    def _costs(self, steps: int, *, low_rank: bool) -> Costs:
        self._on_step(Step(0, 1, f"looking for a width that fits: {100 * STEP**steps:.0f} % of the channels"))
        with locks.scratch() as work:
            path = work / f"steps-{steps}.keras"
            self._narrowed(steps, low_rank=low_rank).save(path)
            return self._costing.costs_of(str(path))

    def _narrowed(self, steps: int, *, low_rank: bool) -> Any:
        keep = prune.most_important(self._importance, share=STEP**steps)
        made = prune.pruned(self._keras, self._model, self._channels, keep)
        return lowrank.factored(self._keras, made, self._channels) if low_rank else made


def _loaded(path: Path) -> Any:
    """Return the original as its gradients are asked for; UsageError for one that rounds as integer kernels do."""
    model = load_model(path)
    if bounds_of(model):
        raise UsageError(f"{path}: rounds as integer kernels do; compress takes the model that it was made from")
    return transfer.learning_in_float32(model)
