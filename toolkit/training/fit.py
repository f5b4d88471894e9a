"""Train one model by a recipe into a run folder, or go on where a run was stopped."""

import contextlib
import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from toolkit import locks, runs
from toolkit.data.base import Dataset
from toolkit.files import write_json, write_text
from toolkit.runs import METRICS
from toolkit.runtimes.keras.loading import allowing, load_model
from toolkit.training import checkpoint, configuration, folders, layers, network, phases, plots
from toolkit.training.arithmetic import UNTRIED, choose, recorded_arithmetic
from toolkit.training.checkpoint import STATE, Epoch, TrainingProgress
from toolkit.training.epochs import Epochs
from toolkit.training.layers import LayerRow
from toolkit.training.loop import Totals
from toolkit.training.phases import FLOAT
from toolkit.training.recipe import Recipe
from toolkit.training.setup import Setup, set_up


@dataclass(frozen=True)
class Started:
    """What is known when training begins."""

    folder: Path
    dataset: Dataset
    layers: tuple[LayerRow, ...]
    device: str
    resident: bool
    epochs_done: int
    additions: tuple[str, ...] = ()

    @property
    def parameters(self) -> int:
        """How many weights the model has."""
        return sum(layer.parameters for layer in self.layers)


@dataclass(frozen=True)
class Trained:
    """What a run came to; as a path, its folder.

    test: on the test rows, with the best weights, of ``checkpoint``; of no rows where the test set was left closed.
    noun: what a row is called in a sentence.
    """

    folder: Path
    recipe: Recipe
    parameters: int
    progress: TrainingProgress
    dataset: dict[str, Any]
    test: Totals
    checkpoint: Path
    interrupted: bool
    noun: str

    def __fspath__(self) -> str:
        return str(self.folder)

    @property
    def data(self) -> str:
        """What ``toolkit.data.load`` takes to load the data that it was trained on."""
        return runs.data_choice(runs.read_config(self.folder)["data"])

    @property
    def seconds(self) -> float:
        """The time spent in epochs, validation included, over all parts of the run."""
        return sum(epoch.seconds for epoch in self.progress.history)

    @property
    def stopped_early(self) -> bool:
        """Whether its patience was over before the last epoch that was asked for."""
        return not self.interrupted and len(self.progress.history) < self.recipe.epochs

    def to_json(self) -> dict[str, Any]:
        """Return the document of ``toolkit train --json`` and of ``metrics.json``."""
        return {
            "schema": 1,
            "command": "train",
            "run": self.folder.name,
            "model": self.recipe.model_name,
            "parameters": self.parameters,
            "epochs_run": len(self.progress.history),
            "best_epoch": self.progress.best_epoch,
            "monitor": self.recipe.monitor,
            "best_value": self.progress.best_value,
            "dataset": self.dataset,
            "test_accuracy": self.test.accuracy if self.test.rows else None,
            "test_loss": self.test.mean_loss if self.test.rows else None,
            "checkpoint": str(self.checkpoint),
            "seconds": self.seconds,
            "interrupted": self.interrupted,
            "stopped_early": self.stopped_early,
        }


def train(
    recipe: Recipe,
    dataset: Dataset,
    folder: Path,
    *,
    device_choice: str = "auto",
    strategy_choice: str = "single",
    resume: bool = False,
    gradients: bool = False,
    allow_overlap: bool = False,
    opens_test: bool = True,
    tries_range: bool = True,
    on_trial: Callable[[], None] | None = None,
    warn: Callable[[str], None] = lambda text: None,
    on_start: Callable[[Started], None] = lambda started: None,
    on_epoch: Callable[[Epoch], None] = lambda epoch: None,
) -> Trained:
    """Train into ``folder`` and return the result, measured on the test split with the best weights.

    Ctrl-C ends the run after what is finished (``interrupted``). With ``resume`` the run goes on from its last finished
    epoch and ends with the weights of an uninterrupted run. With ``gradients``, or if the resumed run was started
    with it, each layer's gradient norm is measured after each epoch (``gradients.csv``). on_trial is called before a
    trial of how TensorFlow computes fastest (``arithmetic``); if it is None, none is made. A run that goes on computes
    as it was started. opens_test: whether the result is measured on the test split at all: a run among which one is
    chosen leaves it closed. tries_range: whether it is tried on training images which range of pixels a Keras file
    takes: not of a network that was only just pruned, which answers by chance in each range. Raises DivergedError when
    the loss is no longer a number, RunError when the folder and the request do not fit, DataError if training,
    validation and test images overlap (unless that is allowed, or was when the run began), UsageError if the recipe
    does not fit the data, KeyboardInterrupt when Ctrl-C came before the first epoch was over and there is nothing to
    keep, BusyError while another process trains there.
    """
    # TensorFlow writes what it makes of Python functions into temporary files.
    with locks.alone(folder, "train", otherwise="choose another --name"), locks.own_temporaries():
        if resume:
            arithmetic = recorded_arithmetic(folder)
        else:
            folders.require_new(folder)  # before time is spent on it
            arithmetic = UNTRIED
            if on_trial is not None and strategy_choice == "single":
                arithmetic = choose(recipe, dataset, device=device_choice, on_trial=on_trial)
        setup = set_up(
            recipe,
            dataset,
            folder,
            arithmetic,
            device_choice=device_choice,
            strategy_choice=strategy_choice,
            resume=resume,
            gradients=gradients,
            allow_overlap=allow_overlap,
            tries_range=tries_range,
            warn=warn,
        )
        run, interrupted = _learn(setup, on_start=on_start, on_epoch=on_epoch)
        trained = _finished(setup, run, opens_test=opens_test, interrupted=interrupted)
        write_json(folder / METRICS, trained.to_json())
    return trained


def _learn(
    setup: Setup, *, on_start: Callable[[Started], None], on_epoch: Callable[[Epoch], None]
) -> tuple[Epochs, bool]:
    """Run the epochs that are left; return those of the last part, and whether Ctrl-C cut them short.

    Raises KeyboardInterrupt if it did before there was anything to keep.
    """
    folder, progress = setup.folder, setup.progress
    run = _begin(setup)
    folders.prepare(folder, configuration.config_entry(setup, run.learner.convention), resume=setup.resume)
    if setup.resume:
        checkpoint.load_variables(folder / STATE, run.learner.variables)
    rows, epochs_done = layers.table(run.learner.model), len(progress.history)
    additions = (*run.learner.words, *setup.additions)
    on_start(Started(folder, setup.parts.dataset, rows, setup.device, run.resident, epochs_done, additions))
    write_text(folder / "summary.txt", layers.text(rows, additions))
    interrupted = run.epochs(on_epoch)
    if not interrupted and run.phase.best == FLOAT:
        progress.begin_rounding()
        run = _begin(setup)
        write_text(folder / "summary.txt", layers.text(layers.table(run.learner.model), additions))
        interrupted = run.epochs(on_epoch)
    if math.isnan(progress.best_value):
        raise KeyboardInterrupt
    return run, interrupted


def _begin(setup: Setup) -> Epochs:
    """Return the epochs of the part that the training is in, with the network of that part."""
    setup.keras.utils.set_random_seed(setup.recipe.seed)
    in_float = None if setup.progress.float_epochs is None else setup.folder / FLOAT
    with contextlib.nullcontext() if setup.strategy is None else setup.strategy.scope():
        learner = network.build(
            setup.tf,
            setup.keras,
            setup.recipe,
            setup.parts,
            warn=setup.warn,
            in_float=in_float,
            tries_range=setup.tries_range,
        )
    return Epochs(setup, learner, phases.present(setup.recipe, setup.progress))


def _finished(setup: Setup, run: Epochs, *, opens_test: bool, interrupted: bool) -> Trained:
    """Write the tables and charts of a run, and return what its best weights come to on the test images."""
    recipe, folder, progress, dataset = setup.recipe, setup.folder, setup.progress, setup.parts.dataset
    best = folder / run.phase.best
    folders.write_tables(folder, progress)
    plots.draw(folder, progress.history, recipe=recipe, data=dataset.name, best_epoch=progress.best_epoch)
    model = run.learner.model
    with allowing(recipe.code_files):
        model.set_weights(load_model(best).get_weights())
    parameters = sum(layer.parameters for layer in layers.table(model))
    measured_on = {**dataset.describe_test(), "overlap": [one.to_json() for one in setup.shared]}
    test = run.evaluate(dataset.test) if opens_test else Totals()
    return Trained(folder, recipe, parameters, progress, measured_on, test, best, interrupted, dataset.noun)
