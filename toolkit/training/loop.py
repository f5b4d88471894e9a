"""The compiled training loop: the data lie on the device, and one call runs many batches.

A Keras ``fit`` on arrays pays for slicing, copying and dispatching every batch from Python. Here rows are gathered,
scaled and learned from inside one ``tf.function``, so that a small network is bound by its arithmetic.
"""

import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from toolkit.convention import Convention
from toolkit.runs import FED
from toolkit.training import inputs, pooling
from toolkit.training.arithmetic import in_bfloat16
from toolkit.training.augmentation import Augmentation
from toolkit.training.objective import Objective

# Rows of one step of an evaluation, and of the batch that gradients are measured on: large enough to keep two cores
# busy, small enough for a GPU of 1 GB.
EVALUATION_BATCH = 500


@dataclass(frozen=True)
class Totals:
    """Sums over the rows of a pass; means are derived."""

    loss: float = 0.0
    correct: int = 0
    rows: int = 0

    def __add__(self, other: "Totals") -> "Totals":
        return Totals(self.loss + other.loss, self.correct + other.correct, self.rows + other.rows)

    @property
    def mean_loss(self) -> float:
        """Mean loss of a row."""
        return self.loss / self.rows

    @property
    def accuracy(self) -> float:
        """Share of rows classified right."""
        return self.correct / self.rows


class Loop:
    """Trains and evaluates one model on blocks of rows: images (N, H, W, C) uint8 or values (N, …) float32, labels (N,)
    integers.

    augmentation: what training images go through, None for nothing. teacher: what answers changed images, pixels of 0
    to 255, with the probabilities that are learned from; None where there is none, or where its answers are given to
    ``train``. xla: how many batches one computation of XLA learns from, 0 for none of it; None leaves it to the kind of
    layers. Augmentation is done between two of them, so with it one learns from a batch at most. bfloat16: whether it
    learns in bfloat16, where oneDNN computes; evaluations never do. before_step, after_step: are called where a step is
    compiled, once for all devices. convention: what the model takes.
    """

    def __init__(
        self,
        tf: Any,
        *,
        model: Any,
        optimizer: Any,
        objective: Objective,
        batch_size: int,
        strategy: Any = None,
        augmentation: Augmentation | None = None,
        teacher: Callable[[Any], Any] | None = None,
        before_step: Callable[[], None] = lambda: None,
        after_step: Callable[[], None] = lambda: None,
        xla: int | None = None,
        bfloat16: bool = False,
        convention: Convention = FED,
    ) -> None:
        self._tf = tf
        self._model = model
        self._taken = inputs.compiled(tf, convention)
        self._optimizer = optimizer
        self._objective = objective
        self._teacher = teacher
        self._before_step, self._after_step = before_step, after_step
        self.batch_size = batch_size
        # XLA fuses the many small operations of dense layers and wins 2×. Its CPU convolutions lose 2× to oneDNN's on
        # some machines; on which, a trial tells (``arithmetic``).
        self._strategy = strategy
        at_once = int(not is_convolutional(model)) if xla is None else xla
        self._rounding = partial(in_bfloat16, tf) if bfloat16 else contextlib.nullcontext
        self._pooling = partial(pooling.pool_by_slices, tf) if at_once else contextlib.nullcontext
        one_device = tf.function(self._single_step, jit_compile=bool(at_once))
        step = self._mirrored_step if strategy else one_device
        self._step = step if augmentation is None else self._augmented(step, augmentation)
        # A call has a multiple of so many batches: an epoch ends with the same weights however many calls it takes.
        self.batches_at_once = at_once if at_once > 1 and augmentation is None and not strategy else 1
        self._train_blocks: dict[int, Any] = {}
        self._evaluate_blocks: dict[int, Any] = {}
        self._layers = [layer for layer in model.layers if layer.trainable_variables]
        self._norms = tf.function(self._norm_of_each_layer)

    def train(self, images: Any, labels: Any, order: NDArray[np.int64], *taught: Any) -> Totals:
        """Learn from the rows that ``order`` names, in that order, in batches; the last batch may be smaller.

        taught: the answers of a teacher to the rows (N, classes), if they are known before.
        """
        arrays = (images, labels, *taught)
        many = self.batches_at_once * self.batch_size
        whole = len(order) - len(order) % many if self.batches_at_once > 1 else 0
        if whole and many not in self._train_blocks:
            self._train_blocks[many] = self._block(self._many_steps(), arrays, many)
        with self._rounding():
            totals = self._call(self._train_blocks.get(many), arrays, order[:whole])
            return totals + self._run(self._train_blocks, self._step, arrays, order[whole:], self.batch_size)

    def evaluate(self, images: Any, labels: Any, order: NDArray[np.int64]) -> Totals:
        """Return loss and accuracy on the rows that ``order`` names."""
        return self._run(self._evaluate_blocks, self._evaluate_step, (images, labels), order, EVALUATION_BATCH)

    def gradient_norms(self, images: Any, labels: Any) -> dict[str, float]:
        """Return the Euclidean norm of the mean loss's gradient by the weights of each layer, from input to output."""
        norms = self._norms(images, labels).numpy()
        return {layer.name: float(norm) for layer, norm in zip(self._layers, norms, strict=True)}

    def _run(
        self, compiled: dict[int, Any], step: Any, arrays: tuple[Any, ...], order: NDArray[np.int64], batch_size: int
    ) -> Totals:
        whole = len(order) - len(order) % batch_size
        totals = Totals()
        for rows, size in ((order[:whole], batch_size), (order[whole:], len(order) - whole)):
            if len(rows) and size not in compiled:
                # Shapes are static in a step: a smaller last batch has one of its own.
                compiled[size] = self._block(step, arrays, size)
            totals += self._call(compiled.get(size), arrays, rows)
        return totals

    def _call(self, block: Any, arrays: tuple[Any, ...], rows: NDArray[np.int64]) -> Totals:
        if not len(rows):
            return Totals()
        loss, correct = block(arrays, self._tf.constant(rows, self._tf.int32))
        return Totals(float(loss), int(correct), len(rows))

    def _block(self, step: Any, arrays: tuple[Any, ...], size: int) -> Any:
        """Compile a function that runs ``step`` on ``size`` rows at a time until the order is used up."""
        tf = self._tf

        def block(arrays: Any, order: Any) -> tuple[Any, Any]:
            batches = tf.reshape(order, (-1, size))
            loss, correct = tf.constant(0.0, tf.float64), tf.constant(0, tf.int64)
            for batch in tf.range(tf.shape(batches)[0]):
                rows = batches[batch]
                batch_loss, batch_correct = step(*(tf.gather(array, rows) for array in arrays))
                loss += tf.cast(batch_loss, tf.float64)
                correct += batch_correct
            return loss, correct

        rows = tuple(tf.TensorSpec((None, *array.shape[1:]), array.dtype) for array in arrays)
        return tf.function(block, input_signature=[rows, tf.TensorSpec((None,), tf.int32)])

    def _many_steps(self) -> Any:
        """Return a step of many batches in one computation of XLA, which would gather rows value by value."""
        tf = self._tf
        learn = tf.function(self._learn_from_many, jit_compile=True)

        def step(*arrays: Any) -> Any:  # shapes are static under XLA
            return learn(*(tf.reshape(array, (-1, self.batch_size, *array.shape[1:])) for array in arrays))

        return step

    def _learn_from_many(self, *arrays: Any) -> tuple[Any, Any]:
        """Learn from arrays (batches, rows of a batch, …)."""
        tf = self._tf
        loss, correct = tf.constant(0.0, tf.float64), tf.constant(0, tf.int64)
        for batch in tf.range(arrays[0].shape[0]):
            batch_loss, batch_correct = self._single_step(*(array[batch] for array in arrays))
            loss += tf.cast(batch_loss, tf.float64)
            correct += batch_correct
        return loss, correct

    def _augmented(self, step: Any, augmentation: Augmentation) -> Any:
        """Return a step that learns from changed images. What changes them cannot be compiled by XLA."""
        change = self._tf.function(augmentation.__call__, autograph=False)
        teacher = self._teacher

        def augmented(images: Any, labels: Any) -> Any:
            changed = change(images)
            return step(changed, labels, *([] if teacher is None else [teacher(changed)]))

        return augmented

    def _forward(self, images: Any, labels: Any, *, training: bool) -> tuple[Any, Any, Any]:
        """Return (probabilities, loss of each row by its label, rows classified right)."""
        tf = self._tf
        probabilities = tf.cast(self._model(self._taken(images), training=training), tf.float32)
        losses = self._objective.of_labels(labels, probabilities)
        right = tf.equal(tf.argmax(probabilities, axis=1, output_type=tf.int32), tf.cast(labels, tf.int32))
        return probabilities, losses, tf.reduce_sum(tf.cast(right, tf.int64))

    def _single_step(self, images: Any, labels: Any, *taught: Any) -> tuple[Any, Any]:
        self._before_step()
        totals = self._train_step(images, labels, *taught)
        self._after_step()
        return totals

    def _mirrored_step(self, images: Any, labels: Any, *taught: Any) -> tuple[Any, Any]:
        """Let each device learn from its share of the batch; the optimizer adds up the gradients of all."""
        self._before_step()
        totals = self._strategy.run(self._share_step, args=(images, labels, *taught))
        loss, correct = (self._strategy.reduce(self._tf.distribute.ReduceOp.SUM, total, axis=None) for total in totals)
        self._share_statistics()
        self._after_step()
        return loss, correct

    def _share_statistics(self) -> None:
        """Give each device the mean of all devices' moving statistics, each of which has those of its share alone."""
        for variable in self._model.non_trainable_variables:
            if self._tf.as_dtype(variable.dtype).is_floating:
                copies = self._strategy.experimental_local_results(variable.value)
                variable.assign(self._tf.add_n([self._tf.identity(copy) for copy in copies]) / len(copies))

    def _share_step(self, *arrays: Any) -> tuple[Any, Any]:
        replica = self._tf.distribute.get_replica_context()
        size, number, replicas = arrays[0].shape[0], replica.replica_id_in_sync_group, replica.num_replicas_in_sync
        if size < replicas:
            # A share would be empty, and of no rows batch normalization has no mean: all learn from all.
            totals = self._train_step(*arrays, batch_size=size * replicas, replicas=replicas)
            return tuple(self._tf.where(number == 0, total, self._tf.zeros_like(total)) for total in totals)
        share = slice(number * size // replicas, (number + 1) * size // replicas)
        return self._train_step(*(array[share] for array in arrays), batch_size=size, replicas=replicas)

    def _train_step(
        self, images: Any, labels: Any, *taught: Any, batch_size: int | None = None, replicas: int = 1
    ) -> tuple[Any, Any]:
        """Learn from a batch, or from one device's share of a batch of ``batch_size`` rows."""
        tf = self._tf
        variables = self._model.trainable_variables
        with tf.GradientTape() as tape, self._pooling():
            probabilities, losses, correct = self._forward(images, labels, training=True)
            learned = self._objective.of_training(labels, probabilities, *taught, of_labels=losses)
            mean = tf.reduce_mean(learned) if batch_size is None else tf.reduce_sum(learned) / batch_size
            loss = tf.add_n([mean, *(penalty / replicas for penalty in self._model.losses)])
        self._optimizer.apply(tape.gradient(loss, variables), variables)
        return tf.reduce_sum(losses), correct

    def _norm_of_each_layer(self, images: Any, labels: Any) -> Any:
        tf = self._tf
        with tf.GradientTape() as tape:
            _, losses, _ = self._forward(images, labels, training=False)
            loss = tf.reduce_mean(losses)
        gradients = tape.gradient(loss, [layer.trainable_variables for layer in self._layers])
        return tf.stack([tf.linalg.global_norm(of_layer) for of_layer in gradients])

    def _evaluate_step(self, images: Any, labels: Any) -> tuple[Any, Any]:
        _, losses, correct = self._forward(images, labels, training=False)
        return self._tf.reduce_sum(losses), correct


def is_convolutional(model: Any) -> bool:
    """Say whether a Keras model has convolutions."""
    return any("conv" in type(layer).__name__.lower() for layer in model._flatten_layers())
