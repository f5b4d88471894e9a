"""The exponential moving average of a model's weights, which is what is validated and kept."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


class Average:
    """An average beside each weight of a model, in which the latest steps count most.

    After step t, an average moves by 1 - min(decay, (1 + t) / (10 + t)) of the way to its weight: the first steps,
    whose weights are far from those of the last, are soon forgotten (TensorFlow's ExponentialMovingAverage with
    num_updates). The moving statistics of batch normalization are averaged as the weights are: they are those of the
    activations that the weights bring about (Cai et al. 2021, "Exponential Moving Average Normalization"). The state of
    random generators is not averaged.
    """

    def __init__(self, tf: Any, keras: Any, *, model: Any, optimizer: Any, decay: float) -> None:
        """Begin with the weights that the model has. decay: of one step, above 0 and below 1."""
        self._tf = tf
        self._optimizer = optimizer
        self._decay = decay
        self._weights = [one for one in model.variables if tf.as_dtype(one.dtype).is_floating]
        self.variables = [keras.Variable(one.numpy(), trainable=False, dtype=one.dtype) for one in self._weights]

    def update(self) -> None:
        """Follow the weights of the step that was just made. It is called within a compiled function."""
        tf = self._tf
        steps = tf.cast(self._optimizer.iterations, tf.float32)
        share = 1 - tf.minimum(self._decay, (1 + steps) / (10 + steps))
        for average, weight in zip(self.variables, self._weights, strict=True):
            # By the difference, so that a weight that stays is its own average to the last bit.
            average.assign(average + share * (weight - average))

    @contextmanager
    def in_place(self) -> Iterator[None]:
        """Let the model have the averages as its weights in the block."""
        self._exchange()
        try:
            yield
        finally:
            self._exchange()

    def _exchange(self) -> None:
        for average, weight in zip(self.variables, self._weights, strict=True):
            value = weight.numpy()
            weight.assign(average.numpy())
            average.assign(value)
