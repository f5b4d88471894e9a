"""Train one model by a recipe into a run folder, or go on where a run was stopped."""

import contextlib
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from toolkit import extras, locks, models, overlap
from toolkit.data.base import Dataset, Split
from toolkit.data.base.parts import Parts, divide
from toolkit.errors import DivergedError
from toolkit.files import sha256, write_json, write_text
from toolkit.runs import BEST, METRICS
from toolkit.runtimes.keras.loading import allowing, load_model
from toolkit.training import checkpoint, device, folders, layers, plots
from toolkit.training.checkpoint import STATE, Epoch, TrainingProgress
from toolkit.training.feed import Feed
from toolkit.training.layers import LayerRow
from toolkit.training.loop import EVALUATION_BATCH, Loop, Totals
from toolkit.training.recipe import Recipe

# An epoch is one compiled call if it takes less than this; a longer one is cut, so that Ctrl-C is answered soon.
RESPONSIVE_S = 1.0
# Batches of the first call, before the speed is known.
FIRST_BLOCK_BATCHES = 100


@dataclass(frozen=True)
class Started:
    """What is known when training begins."""

    folder: Path
    dataset: Dataset
    layers: tuple[LayerRow, ...]
    device: str
    resident: bool
    epochs_done: int

    @property
    def parameters(self) -> int:
        """How many weights the model has."""
        return sum(layer.parameters for layer in self.layers)


@dataclass(frozen=True)
class Trained:
    """What a run came to; as a path, its folder. test: on the test images, with the best weights."""

    folder: Path
    recipe: Recipe
    parameters: int
    progress: TrainingProgress
    dataset: dict[str, Any]
    test: Totals
    interrupted: bool

    def __fspath__(self) -> str:
        return str(self.folder)

    @property
    def seconds(self) -> float:
        """The time spent in epochs, validation included, over all parts of the run."""
        return sum(epoch.seconds for epoch in self.progress.history)

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
            "test_accuracy": self.test.accuracy,
            "test_loss": self.test.mean_loss,
            "checkpoint": str(self.folder / BEST),
            "seconds": self.seconds,
            "interrupted": self.interrupted,
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
    warn: Callable[[str], None] = lambda text: None,
    on_start: Callable[[Started], None] = lambda started: None,
    on_epoch: Callable[[Epoch], None] = lambda epoch: None,
) -> Trained:
    """Train into ``folder`` and return the result, measured on the test split with the best weights.

    Ctrl-C ends the run after what is finished (``interrupted``). With ``resume`` the run goes on from its last finished
    epoch and ends with the weights of an uninterrupted run. With ``gradients``, or if the resumed run was started
    with it, each layer's gradient norm is measured after each epoch (``gradients.csv``). Raises DivergedError when the
    loss is no longer a number, RunError when the folder and the request do not fit, DataError if training,
    validation and test images overlap (unless that is allowed, or was when the run began), KeyboardInterrupt when
    Ctrl-C came before the first epoch was over and there is nothing to keep, BusyError while another process trains
    there.
    """
    # TensorFlow writes what it makes of Python functions into temporary files.
    with locks.alone(folder, "train", otherwise="choose another --name"), locks.own_temporaries():
        return _train(
            recipe,
            dataset,
            folder,
            device_choice=device_choice,
            strategy_choice=strategy_choice,
            resume=resume,
            gradients=gradients,
            allow_overlap=allow_overlap,
            warn=warn,
            on_start=on_start,
            on_epoch=on_epoch,
        )


def _train(
    recipe: Recipe,
    dataset: Dataset,
    folder: Path,
    *,
    device_choice: str,
    strategy_choice: str,
    resume: bool,
    gradients: bool,
    allow_overlap: bool,
    warn: Callable[[str], None],
    on_start: Callable[[Started], None],
    on_epoch: Callable[[Epoch], None],
) -> Trained:
    tf = extras.load("tensorflow")
    keras = extras.load("keras")
    parts = divide(dataset, share=recipe.validation_split, seed=recipe.seed)
    for note in parts.notes:
        warn(note)
    shared = parts.shared_images()
    overlap.refuse(shared, what=f"'{dataset.name}' ({dataset.origin})", allowed=allow_overlap or resume)
    device_name = device.choose(tf, device_choice)
    strategy = device.strategy(tf, strategy_choice)
    if strategy is not None:
        device_name = f"{strategy.num_replicas_in_sync} × {device_name}, mirrored"
    config = _config(recipe, parts, device_name, tf, keras)
    folders.prepare(folder, config, resume=resume)
    keras.utils.set_random_seed(recipe.seed)
    with contextlib.nullcontext() if strategy is None else strategy.scope():
        model, optimizer = _build(keras, recipe, dataset)
    progress = checkpoint.load_state(folder / STATE, model=model, optimizer=optimizer) if resume else TrainingProgress()
    measured = gradients or bool(progress.gradients)
    run = _Run(tf, keras, recipe, parts, folder, model, optimizer, progress, strategy, measured)
    rows = layers.table(model)
    on_start(Started(folder, dataset, rows, device_name, run.resident, len(progress.history)))
    write_text(folder / "summary.txt", layers.text(rows))
    interrupted = run.epochs(on_epoch)
    if not progress.history:
        raise KeyboardInterrupt
    folders.write_tables(folder, progress)
    plots.draw(folder, progress.history, recipe=recipe, data=dataset.name, best_epoch=progress.best_epoch)
    with allowing(models.own_files(recipe.model)):
        model.set_weights(load_model(folder / BEST).get_weights())
    parameters = sum(layer.parameters for layer in rows)
    measured_on = {**dataset.describe_test(), "overlap": [one.to_json() for one in shared]}
    trained = Trained(folder, recipe, parameters, progress, measured_on, run.evaluate(dataset.test), interrupted)
    write_json(folder / METRICS, trained.to_json())
    return trained


class _Run:
    """The epochs of one training."""

    def __init__(
        self,
        tf: Any,
        keras: Any,
        recipe: Recipe,
        parts: Parts,
        folder: Path,
        model: Any,
        optimizer: Any,
        progress: TrainingProgress,
        strategy: Any,
        gradients: bool,
    ) -> None:
        self._tf = tf
        self._recipe = recipe
        self._folder = folder
        self._model = model
        self._optimizer = optimizer
        self._progress = progress
        # Weights are kept in float32 whatever training computes in, so that every exporter and runtime can read them.
        self._keeper = model if recipe.precision == "float32" else _float32_model(keras, recipe, parts.dataset)
        self._feed = Feed(tf, parts.dataset.train)
        self._training = parts.training_rows
        self._held_out = self._feed if parts.held_out is parts.dataset.train else Feed(tf, parts.held_out)
        self._validation = parts.validation_rows
        self._loop = Loop(
            tf,
            keras,
            model=model,
            optimizer=optimizer,
            loss=recipe.loss,
            batch_size=recipe.batch_size,
            strategy=strategy,
        )
        self._block_batches = FIRST_BLOCK_BATCHES
        rows_to_measure = parts.dataset.train.rows(self._training[:EVALUATION_BATCH])
        self._measured = (tf.constant(rows_to_measure.images), tf.constant(rows_to_measure.labels))
        self._gradients = gradients

    @property
    def resident(self) -> bool:
        """Whether the training rows lie on the device."""
        return self._feed.resident

    def epochs(self, on_epoch: Callable[[Epoch], None]) -> bool:
        """Run the epochs that are left; return whether Ctrl-C cut them short."""
        writer = self._tf.summary.create_file_writer(str(self._folder / "tensorboard"))
        try:
            if not self._progress.history:
                self._measure_gradients(0)
            for number in range(len(self._progress.history) + 1, self._recipe.epochs + 1):
                epoch = self._epoch(number)
                self._measure_gradients(number)
                self._keep(epoch, writer)
                on_epoch(epoch)
        except KeyboardInterrupt:
            return True
        finally:
            writer.close()
        return False

    def evaluate(self, split: Split) -> Totals:
        """Return loss and accuracy of the present weights on ``split``."""
        return self._pass(Feed(self._tf, split), self._loop.evaluate, np.arange(len(split)), EVALUATION_BATCH)

    def _epoch(self, number: int) -> Epoch:
        # The order depends on (seed, epoch) alone, so a resumed run sees the same batches as an uninterrupted one.
        order = self._training[np.random.default_rng((self._recipe.seed, number)).permutation(len(self._training))]
        start = time.perf_counter()
        training = self._pass(self._feed, self._loop.train, order, self._recipe.batch_size)
        batches_per_second = len(order) / self._recipe.batch_size / (time.perf_counter() - start)
        self._block_batches = max(1, round(batches_per_second * RESPONSIVE_S))
        self._check_finite(training.mean_loss, number)
        validation = Totals(math.nan, 0, 1)
        if len(self._validation):
            validation = self._pass(self._held_out, self._loop.evaluate, self._validation, EVALUATION_BATCH)
            self._check_finite(validation.mean_loss, number)
        return Epoch(
            epoch=number,
            loss=training.mean_loss,
            accuracy=training.accuracy,
            val_loss=validation.mean_loss,
            val_accuracy=validation.accuracy if len(self._validation) else math.nan,
            seconds=time.perf_counter() - start,
        )

    def _measure_gradients(self, number: int) -> None:
        """Note the gradients on the same rows at the end of each epoch, so that epochs can be compared."""
        if self._gradients:
            self._progress.gradients.append({"epoch": number, **self._loop.gradient_norms(*self._measured)})

    def _check_finite(self, loss: float, number: int) -> None:
        if not math.isfinite(loss):
            rate = self._recipe.learning_rate
            kept = f"the best weights are kept in {self._folder / BEST}" if number > 1 else "no epoch was finished"
            raise DivergedError(
                f"the loss of epoch {number} is {loss}: the learning rate {rate:g} is likely too high, "
                f"try {rate / 10:g}; {kept}"
            )

    def _pass(self, feed: Feed, run: Callable[..., Totals], order: Any, batch_size: int) -> Totals:
        blocks = feed.blocks(order, batches=self._block_batches, batch_size=batch_size)
        return sum((run(*block) for block in blocks), Totals())

    def _keep(self, epoch: Epoch, writer: Any) -> None:
        """Write the best model first, then the state that names it: a kill in between costs one epoch, no file."""
        progress, recipe = self._progress, self._recipe
        value = getattr(epoch, recipe.monitor)
        if not progress.history or recipe.monitor_sign * (value - progress.best_value) > 0:
            if self._keeper is not self._model:
                self._keeper.set_weights(self._model.get_weights())
            checkpoint.save_best(self._keeper, self._folder / BEST)
            progress.best_epoch, progress.best_value = epoch.epoch, value
        progress.history.append(epoch)
        checkpoint.save_state(self._folder / STATE, model=self._model, optimizer=self._optimizer, progress=progress)
        folders.write_tables(self._folder, progress)
        with writer.as_default(step=epoch.epoch):
            for name, figure in vars(epoch).items():
                if name != "epoch" and math.isfinite(figure):
                    self._tf.summary.scalar(name, figure)


def _build(keras: Any, recipe: Recipe, dataset: Dataset) -> tuple[Any, Any]:
    # bfloat16 has the exponents of float32, so it needs no loss scaling; its arithmetic is in GPUs from compute
    # capability 8.0 and in CPUs with AVX512-BF16 or AMX.
    keras.config.set_dtype_policy("float32" if recipe.precision == "float32" else "mixed_bfloat16")
    try:
        model = models.build(
            recipe.model,
            input_shape=dataset.input_shape,
            classes=dataset.classes,
            activation=recipe.activation,
        )
    finally:
        keras.config.set_dtype_policy("float32")
    kinds = {"adam": keras.optimizers.Adam, "sgd": keras.optimizers.SGD}
    optimizer = kinds[recipe.optimizer](learning_rate=recipe.learning_rate)
    optimizer.build(model.trainable_variables)
    return model, optimizer


def _float32_model(keras: Any, recipe: Recipe, dataset: Dataset) -> Any:
    from dataclasses import replace

    return _build(keras, replace(recipe, precision="float32"), dataset)[0]


def _config(recipe: Recipe, parts: Parts, device_name: str, tf: Any, keras: Any) -> dict[str, Any]:
    dataset = parts.dataset
    return {
        "schema": 1,
        "recipe": recipe.to_json(),
        folders.MODEL_SHA256: next((sha256(file) for file in models.own_files(recipe.model)), None),
        "data": {
            "name": dataset.name,
            "origin": dataset.origin,
            "digests": dataset.digests,
            "reading": dataset.reading.to_json(),
        },
        "validation": {"rows": len(parts.validation_rows), "how": parts.how},
        "device": device_name,
        "versions": {"tensorflow": tf.__version__, "keras": keras.__version__, "numpy": np.__version__},
        "started": datetime.now(UTC).isoformat(timespec="microseconds"),
    }
