"""Make a network narrower: of each group of channels those stay that the loss depends on most.

How much the loss changes without a channel is estimated to first order, as the square of the sum of its weights times
their gradients (Molchanov, Mallya, Tyree, Frosio and Kautz, "Importance Estimation for Neural Network Pruning", CVPR
2019).
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from toolkit.compress.channels import MAKERS, Channels
from toolkit.convention import Convention
from toolkit.data.base.parts import Parts

# Training rows that the gradients are of, and how many make one estimate; the estimates are averaged.
ROWS, AT_ONCE = 500, 50


def importance(
    tf: Any, keras: Any, model: Any, channels: Channels, parts: Parts, convention: Convention
) -> dict[int, NDArray[np.float64]]:
    """Return how much the loss changes without each channel of each group, up to a common factor.

    model: takes rows as the convention says, and answers with probabilities (N, classes).
    """
    # Where a channel is normalized, its size is that of the scale and the shift there, not of the kernel before it.
    own = channels.gives.keys() - channels.normalized
    layers = [layer for layer in model.layers if layer.name in own and layer.trainable_variables]
    images, labels = parts.dataset.train.images, parts.dataset.train.labels
    # By chance: rows that are sorted by class would show those of one class alone.
    rows = np.random.default_rng(0).permutation(parts.training_rows)[:ROWS]
    importances = {group: np.zeros(size) for group, size in channels.groups.items()}
    for start in range(0, len(rows), AT_ONCE):
        some = rows[start : start + AT_ONCE]
        with tf.GradientTape() as tape:
            answers = model(convention.values(images[some]), training=False)
            loss = tf.reduce_mean(keras.losses.sparse_categorical_crossentropy(labels[some], answers))
        gradients = tape.gradient(loss, [layer.trainable_variables for layer in layers])
        estimates = {group: np.zeros(size) for group, size in channels.groups.items()}
        for layer, of_layer in zip(layers, gradients, strict=True):
            given = channels.gives[layer.name]
            for weight, gradient in zip(layer.trainable_variables, of_layer, strict=True):
                # The channels are the last axis, or, of a kernel by channel, the last two.
                products = (np.asarray(weight) * np.asarray(gradient)).reshape(-1, len(given)).sum(axis=0)
                for group in channels.groups.keys() & set(given[:, 0]):
                    of_group = given[:, 0] == group
                    np.add.at(estimates[group], given[of_group, 1], products[of_group])
        for group, estimate in estimates.items():
            importances[group] += estimate**2
    return importances


def most_important(importance: Mapping[int, NDArray[np.float64]], *, share: float) -> dict[int, NDArray[np.bool_]]:
    """Return which channels of each group are kept: that share of them, and at least one."""
    keep = {}
    for group, importances in importance.items():
        count = max(1, round(share * len(importances)))
        keep[group] = np.zeros(len(importances), bool)
        keep[group][np.argsort(-importances, kind="stable")[:count]] = True
    return keep


def pruned(keras: Any, model: Any, channels: Channels, keep: Mapping[int, NDArray[np.bool_]]) -> Any:
    """Return the network with the channels that are kept, and their weights. keep: which of each group."""

    def narrower(layer: Any) -> Any:
        size = MAKERS.get(type(layer).__name__)
        if size is None or layer.name not in channels.gives:
            return copied(keras, layer)
        return copied(keras, layer, {size: int(channels.kept(channels.gives[layer.name], keep).sum())})

    network = keras.Model(model.inputs[0], model.outputs[0], name=model.name)
    made = keras.models.clone_model(network, clone_function=narrower)
    for layer in network.layers:
        if layer.weights:
            made.get_layer(layer.name).set_weights(_cut(layer, channels, keep))
    return made


def copied(keras: Any, layer: Any, changes: Mapping[str, int] | None = None) -> Any:
    """Return a new layer of the same configuration but for the changes; an operation, which has none, as it is."""
    if not isinstance(layer, keras.layers.Layer):
        return layer
    return type(layer).from_config({**layer.get_config(), **(changes or {})})


def _cut(layer: Any, channels: Channels, keep: Mapping[int, NDArray[np.bool_]]) -> list[NDArray[Any]]:
    """Return the weights of a layer for the channels that are kept."""
    weights: list[NDArray[Any]] = layer.get_weights()
    if layer.name not in channels.gives:
        return weights
    taken, given = (channels.kept(labels[layer.name], keep) for labels in (channels.takes, channels.gives))
    makes = type(layer).__name__ in MAKERS

    def cut(values: NDArray[Any]) -> NDArray[Any]:
        if values.ndim == 1:
            return values[given]
        kernel = values[..., taken, :]  # of a layer by channel the filters of each channel follow
        return kernel[..., given] if makes else kernel

    return [cut(values) for values in weights]
