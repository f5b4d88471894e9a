"""What a model of values begins with: a layer that brings every column to mean 0 and variance 1."""

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from toolkit.data.base.parts import Parts
from toolkit.data.base.pixels import chunks

NAME = "normalization"


def normalized(keras: Any, model: Any, parts: Parts) -> Any:
    """Return a model of values behind a Normalization by the rows that it learns from; one of images as it is.

    The model, and all that is made of it, then takes values as they are. The layer computes in float32 whatever the
    model does: values may be large.
    """
    if parts.dataset.is_pixels:
        return model
    mean, variance = moments(parts.dataset.train.images, parts.training_rows)
    layer = keras.layers.Normalization(mean=mean.tolist(), variance=variance.tolist(), name=NAME, dtype="float32")
    layers = model.layers if isinstance(model, keras.Sequential) else [model]
    return keras.Sequential([keras.Input(parts.dataset.input_shape, name="image"), layer, *layers], name=model.name)


def moments(values: NDArray[np.float32], rows: NDArray[np.int64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the mean and the variance of each column or channel, the last axis of values (N, …), over some rows.

    The variance of a constant column is 1: its value becomes 0, and others stay as far from it as they are.
    """

    def parts() -> Iterator[NDArray[np.float64]]:
        return (values[some].reshape(-1, values.shape[-1]).astype(np.float64) for some in chunks(rows))

    count = len(rows) * (values[0].size // values.shape[-1])
    mean: NDArray[np.float64] = np.sum([part.sum(axis=0) for part in parts()], axis=0) / count
    variance = np.sum([((part - mean) ** 2).sum(axis=0) for part in parts()], axis=0) / count
    # What rounding to float32 can make of the values of a constant column is no variance.
    rounding = (np.finfo(np.float32).eps * np.abs(mean)) ** 2
    return mean, np.where(variance > rounding, variance, 1.0)
