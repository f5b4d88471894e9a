"""What a training minimizes: the loss of each row, by its label and, with a teacher, by the teacher's answer."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from toolkit.training.recipe import Recipe

# Probabilities below this, the smallest that float32 holds in full, count as this when their logarithm is taken.
_LEAST = float(np.finfo(np.float32).tiny)


class Objective:
    """The loss of a recipe for a model of so many classes.

    class_weights: (classes,) float32, by which the loss of a row of each class is multiplied; None stands for 1.
    """

    def __init__(
        self, tf: Any, keras: Any, recipe: Recipe, *, classes: int, class_weights: NDArray[np.float32] | None = None
    ) -> None:
        self._tf = tf
        self._recipe = recipe
        self._loss = keras.losses.get(recipe.loss)
        self._classes = classes
        self._class_weights = class_weights

    def of_labels(self, labels: Any, probabilities: Any) -> Any:
        """Return the losses (N,) float32 of answers (N, classes) by the labels (N,) alone: those that are reported."""
        return self._weighted(labels, self._loss(self._tf.one_hot(labels, self._classes), probabilities))

    def of_training(self, labels: Any, probabilities: Any, taught: Any = None, *, of_labels: Any) -> Any:
        """Return the losses (N,) float32 that weights are learned by.

        taught: the teacher's answers (N, classes). of_labels: the losses by the labels alone.
        """
        if not self._recipe.label_smoothing and taught is None:
            return of_labels
        targets = self._tf.one_hot(labels, self._classes)
        if self._recipe.label_smoothing:
            # Szegedy et al. 2016, "Rethinking the Inception Architecture for Computer Vision", section 7.
            share = self._recipe.label_smoothing
            targets = targets * (1 - share) + share / self._classes
        losses = self._loss(targets, probabilities)
        if taught is not None:
            weight = self._recipe.teacher_weight
            losses = (1 - weight) * losses + weight * self._distillation(probabilities, taught)
        return self._weighted(labels, losses)

    def _distillation(self, probabilities: Any, taught: Any) -> Any:
        """Return the cross-entropy of both answers at the temperature, times its square.

        Hinton, Vinyals and Dean 2015, "Distilling the Knowledge in a Neural Network", section 2: the square keeps the
        gradients as large as those of the labels. The logits are taken back from the probabilities; the constant that
        they may differ by is lost in the softmax.
        """
        tf, temperature = self._tf, self._recipe.temperature

        def logarithms(answers: Any) -> Any:
            return tf.nn.log_softmax(tf.math.log(tf.maximum(answers, _LEAST)) / temperature)

        return -(temperature**2) * tf.reduce_sum(tf.exp(logarithms(taught)) * logarithms(probabilities), axis=1)

    def _weighted(self, labels: Any, losses: Any) -> Any:
        return losses if self._class_weights is None else losses * self._tf.gather(self._class_weights, labels)
