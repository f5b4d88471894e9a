"""Faults that are exported: the Keras model, or what it is calibrated on, is not what was trained."""

from collections.abc import Callable
from typing import Any

import numpy as np

from toolkit import extras
from toolkit.convention import STANDARD, Convention, Layout
from toolkit.data.base import Split

# Enough to learn MNIST to about 96 %: weights that another run might well have ended with.
ROWS_OF_ANOTHER_RUN = 12_000
EPOCHS_OF_ANOTHER_RUN = 2

# The axes of an image whose rows and columns are exchanged, counted from 1.
_TRANSPOSED = {Layout.NHWC: (2, 1, 3), Layout.NCHW: (1, 3, 2), Layout.NHW: (2, 1)}

Plant = Callable[[Any, Split], Any]


def faults(model: Any, convention: Convention) -> dict[str, Plant]:
    """Return the faults that can be planted into ``model``, by name: each makes a faulted copy of it.

    convention: what it takes. If that is pixels from 0 to 255, there is no division to leave out.
    """
    height, width, _ = convention.row_shape(model.input_shape)
    low, span = (np.asarray(values, np.float32) for values in (convention.low, convention.spans))
    if convention.layout == Layout.NCHW:
        low, span = low[:, None, None], span[:, None, None]
    plants: dict[str, Plant] = {
        "inputs inverted": lambda model, training: _before(model, "Rescaling", -1.0, offset=2 * low + span),
        "class order permuted": _permuted,
        "weights of another run": lambda model, training: _another_run(model, training, convention),
    }
    if str(convention) != str(STANDARD[1]):
        plants["inputs not divided by 255"] = lambda model, training: _before(
            model, "Rescaling", 255 / span, offset=-255 * low / span
        )
    if height == width:
        plants["images transposed"] = lambda model, training: _before(model, "Permute", _TRANSPOSED[convention.layout])
    if getattr(model.layers[-1], "activation", None) is extras.load("keras").activations.softmax:
        plants["softmax missing"] = _without_softmax
    return plants


def _copy(model: Any) -> Any:
    copy = extras.load("keras").models.clone_model(model)
    copy.set_weights(model.get_weights())
    return copy


def _before(model: Any, kind: str, *arguments: Any, **options: Any) -> Any:
    """Return the model behind a layer that changes its images."""
    keras = extras.load("keras")
    layer = getattr(keras.layers, kind)(*arguments, **options)
    return keras.Sequential([keras.Input(model.input_shape[1:]), layer, _copy(model)])


def _permuted(model: Any, training: Split) -> Any:
    keras = extras.load("keras")
    classes = model.output_shape[-1]
    permute = keras.layers.Dense(classes, use_bias=False)
    permuted = keras.Sequential([keras.Input(model.input_shape[1:]), _copy(model), permute])
    permute.set_weights([np.roll(np.eye(classes, dtype=np.float32), 1, axis=1)])
    return permuted


def _without_softmax(model: Any, training: Split) -> Any:
    copy = _copy(model)
    copy.layers[-1].activation = extras.load("keras").activations.linear
    return copy


def _another_run(model: Any, training: Split, convention: Convention) -> Any:
    """Return the same architecture with weights learned from other first weights, in another order."""
    keras = extras.load("keras")
    keras.utils.set_random_seed(1)
    fresh = keras.models.clone_model(model)
    fresh.compile(optimizer="adam", loss="sparse_categorical_crossentropy")
    rows = training.rows(slice(0, ROWS_OF_ANOTHER_RUN))
    fresh.fit(convention.values(rows.images), rows.labels, batch_size=64, epochs=EPOCHS_OF_ANOTHER_RUN, verbose=0)
    return _copy(fresh)  # without the optimizer
