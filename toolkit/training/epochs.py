"""The epochs of one part of a training: each trained, validated, and kept on the disk before the next."""

import math
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from toolkit.data.base import Split
from toolkit.data.base.parts import Parts
from toolkit.errors import DivergedError
from toolkit.files import documents
from toolkit.training import checkpoint, folders, network, quantization, schedule
from toolkit.training.augmentation import Augmentation
from toolkit.training.checkpoint import STATE, Epoch
from toolkit.training.feed import Feed
from toolkit.training.loop import EVALUATION_BATCH, Loop, Totals
from toolkit.training.network import Learner
from toolkit.training.objective import Objective
from toolkit.training.phases import FLOAT, Phase
from toolkit.training.setup import Setup

# An epoch is one compiled call if it takes less than this; a longer one is cut, so that Ctrl-C is answered soon.
RESPONSIVE_S = 1.0
# Batches of the first call, before the speed is known.
FIRST_BLOCK_BATCHES = 100


class Epochs:
    """The epochs of one part of a training, its network in ``learner``."""

    def __init__(self, setup: Setup, learner: Learner, phase: Phase) -> None:
        tf, recipe, parts = setup.tf, setup.recipe, setup.parts
        self._tf = tf
        self._recipe = recipe
        self._best = setup.folder / phase.best
        self._folder = setup.folder
        self.phase = phase
        self.learner = learner
        self._progress = setup.progress
        # Weights are kept in float32 whatever training computes in, so that every exporter and runtime can read them.
        self._keeper = (
            learner.model if recipe.precision == "float32" else network.float32_model(setup.keras, recipe, parts)
        )
        self._feed = Feed(tf, parts.dataset.train)
        self._training = parts.training_rows
        self._held_out = self._feed if parts.held_out is parts.dataset.train else Feed(tf, parts.held_out)
        self._validation = parts.validation_rows
        self._augmentation = None if recipe.augment is None else Augmentation(tf, recipe.augment)
        weights = class_weights(parts) if recipe.balance else None
        # A part that follows another goes on with the rates of that.
        steps = 0 if phase.after else recipe.warmup * math.ceil(len(self._training) / recipe.batch_size)
        warm_up = partial(schedule.warm_up, tf, learner.optimizer, rate=recipe.learning_rate, steps=steps)
        self._loop = Loop(
            tf,
            model=learner.model,
            optimizer=learner.optimizer,
            objective=Objective(tf, setup.keras, recipe, classes=parts.dataset.classes, class_weights=weights),
            batch_size=recipe.batch_size,
            strategy=setup.strategy,
            convention=learner.convention,
            augmentation=self._augmentation,
            teacher=setup.teacher,
            before_step=warm_up,
            after_step=learner.follow,
            xla=setup.arithmetic.xla,
            bfloat16=setup.arithmetic.bfloat16,
        )
        # Without augmentation the rows never change, so the teacher answers them once, before the first epoch.
        self._taught: tuple[Any, ...] = ()
        if setup.teacher is not None and self._augmentation is None:
            self._taught = (tf.constant(setup.teacher.answers(parts.dataset.train, self._training)),)
        self._block_batches = FIRST_BLOCK_BATCHES
        rows_to_measure = parts.dataset.train.rows(self._training[:EVALUATION_BATCH])
        self._measured = (tf.constant(rows_to_measure.images), tf.constant(rows_to_measure.labels))
        self._gradients = setup.gradients

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
            while not self._is_over():
                epoch = self._epoch(len(self._progress.history) + 1)
                self._measure_gradients(epoch.epoch)
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

    def _is_over(self) -> bool:
        progress, recipe = self._progress, self._recipe
        is_stopped = schedule.is_patience_over(recipe, progress.history, best_epoch=progress.best_epoch)
        return is_stopped or len(progress.history) >= self.phase.until

    def _epoch(self, number: int) -> Epoch:
        # The order depends on (seed, epoch) alone, so a resumed run sees the same batches as an uninterrupted one.
        order = self._training[np.random.default_rng((self._recipe.seed, number)).permutation(len(self._training))]
        rate = schedule.learning_rate(self._recipe, self._progress.history, after=self.phase.after)
        if rate is not None:
            self.learner.optimizer.learning_rate = rate
        if self._augmentation is not None:
            self._augmentation.begin(seed=self._recipe.seed, epoch=number)
        if self.phase.rounds:
            quantization.move_bounds(self.learner.model, moving=self.phase.moves_bounds(number))
        start = time.perf_counter()
        training = self._pass(self._feed, self._loop.train, order, self._recipe.batch_size, self._taught)
        batches_per_second = len(order) / self._recipe.batch_size / (time.perf_counter() - start)
        self._block_batches = max(1, round(batches_per_second * RESPONSIVE_S))
        self._check_finite(training.mean_loss, number)
        validation = Totals(math.nan, 0, 1)
        if len(self._validation):
            with self.learner.kept_weights():
                validation = self._pass(self._held_out, self._loop.evaluate, self._validation, EVALUATION_BATCH)
            self._check_finite(validation.mean_loss, number)
        return Epoch(
            epoch=number,
            loss=training.mean_loss,
            accuracy=training.accuracy,
            val_loss=validation.mean_loss,
            val_accuracy=validation.accuracy if len(self._validation) else math.nan,
            seconds=time.perf_counter() - start,
            learning_rate=rate,
        )

    def _measure_gradients(self, number: int) -> None:
        """Note the gradients on the same rows at the end of each epoch, so that epochs can be compared."""
        if self._gradients:
            self._progress.gradients.append({"epoch": number, **self._loop.gradient_norms(*self._measured)})

    def _check_finite(self, loss: float, number: int) -> None:
        if not math.isfinite(loss):
            rate = self._recipe.learning_rate
            # The first epoch with rounding has only the weights in float before it.
            best = self._folder / FLOAT if number == self.phase.after + 1 else self._best
            kept = "no epoch was finished" if number == 1 else f"the best weights are kept in {best}"
            raise DivergedError(
                f"the loss of epoch {number} is {loss}: the learning rate {rate:g} is likely too high, "
                f"try {rate / 10:g}; {kept}"
            )

    def _pass(
        self, feed: Feed, run: Callable[..., Totals], order: Any, batch_size: int, beside: tuple[Any, ...] = ()
    ) -> Totals:
        multiple, batches = self._loop.batches_at_once, self._block_batches
        blocks = feed.blocks(order, batches=batches, batch_size=batch_size, multiple=multiple, beside=beside)
        return sum((run(*block) for block in blocks), Totals())

    def _keep(self, epoch: Epoch, writer: Any) -> None:
        """Write the best model first, then the state that names it: a kill in between costs one epoch, no file."""
        progress, recipe = self._progress, self._recipe
        value = getattr(epoch, recipe.monitor)
        if math.isnan(progress.best_value) or recipe.monitor_sign * (value - progress.best_value) > 0:
            with self.learner.kept_weights():
                if self._keeper is not self.learner.model:
                    self._keeper.set_weights(self.learner.model.get_weights())
                checkpoint.save_best(self._keeper, self._best)
            progress.best_epoch, progress.best_value = epoch.epoch, value
        progress.history.append(epoch)
        checkpoint.save_state(self._folder / STATE, variables=self.learner.variables, progress=progress)
        folders.write_tables(self._folder, progress)
        with writer.as_default(step=epoch.epoch):
            for name, figure in documents.to_tree(epoch).items():
                if name != "epoch" and math.isfinite(figure):
                    self._tf.summary.scalar(name, figure)


def class_weights(parts: Parts) -> NDArray[np.float32]:
    """Return what the loss of a row of each class is multiplied by, so that every class counts the same.

    (classes,) float32: the rows that are learned from, by the classes times the rows of the class (King and Zeng 2001,
    "Logistic regression in rare events data", as scikit-learn's "balanced" has it). Their mean over the rows is 1.
    """
    counts = np.bincount(parts.dataset.train.labels[parts.training_rows], minlength=parts.dataset.classes)
    weights: NDArray[np.float32] = (counts.sum() / (len(counts) * counts)).astype(np.float32)
    return weights
