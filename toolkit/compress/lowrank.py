"""Make two thin dense layers of a wide one: the first without bias and activation, as wide as the rank that is kept.

The kernel is its truncated singular value decomposition (Xue, Li and Gong, "Restructuring of Deep Neural Network
Acoustic Models with Singular Value Decomposition", Interspeech 2013).
"""

from math import ceil
from typing import Any

import numpy as np
from numpy.typing import NDArray

from toolkit.compress.channels import Channels
from toolkit.compress.prune import copied

# The rank that is kept, as a share of the smaller side of the kernel: training brings back what that takes away. It is
# less if that keeps this share of the kernel's power, the sum of its squared singular values.
SHARE, POWER = 1 / 4, 0.95
# Weights that must be saved at least: about what another layer takes in a file, in bytes.
LEAST_SAVED = 500
# What the first of the two layers is called, behind the name of the one that it is made of.
SUFFIX = "_low"


def factored(keras: Any, model: Any, channels: Channels) -> Any:
    """Return the network with two layers instead of each dense layer whose weights become fewer; else as it is.

    channels: of the network, or of a wider one, which has layers of the same names.
    """
    network = keras.Model(model.inputs[0], model.outputs[0], name=model.name)
    wide = [one for one in network.layers if type(one).__name__ == "Dense" and one.name in channels.gives]
    halves = {one.name: pair for one in wide if (pair := _halves(one.get_weights()[0]))}
    if not halves:
        return model

    def call(layer: Any, *values: Any, **options: Any) -> Any:
        if layer.name not in halves:
            return layer(*values, **options)
        rank = halves[layer.name][0].shape[1]
        first = keras.layers.Dense(rank, use_bias=False, name=f"{layer.name}{SUFFIX}")
        return layer(first(*values), **options)

    made = keras.models.clone_model(network, clone_function=lambda one: copied(keras, one), call_function=call)
    for layer in network.layers:
        weights = layer.get_weights()
        if layer.name in halves:
            first, second = halves[layer.name]
            made.get_layer(f"{layer.name}{SUFFIX}").set_weights([first])
            weights = [second, *weights[1:]]
        if weights:
            made.get_layer(layer.name).set_weights(weights)
    return made


def _halves(kernel: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]] | None:
    """Return two matrices whose product is nearly the kernel (taken, given); None if that saves too little."""
    left, values, right = np.linalg.svd(kernel.astype(np.float64), full_matrices=False)
    power = np.cumsum(values**2)
    rank = min(1 + int(np.searchsorted(power, POWER * power[-1])), ceil(SHARE * len(values)))
    if kernel.size - rank * sum(kernel.shape) < LEAST_SAVED:
        return None
    roots = np.sqrt(values[:rank])  # half of the scale to each, so that both round alike
    return (left[:, :rank] * roots).astype(np.float32), (roots[:, None] * right[:rank]).astype(np.float32)
