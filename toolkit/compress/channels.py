"""Which channels of a network can go: each from all layers that make it or take it, at once.

The channels of a tensor are its last axis. Each is labelled with a group, and with its number there. What a convolution
or a dense layer gives out is a group of its own. Pooling hands its labels on, flattening repeats them, concatenating
puts them side by side, and adding makes one group of two. A group is fixed, so that all its channels stay, if it is the
input or the answer, or if a layer of another kind makes or takes it.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from toolkit.runtimes.keras.layers import calls

# (channels, 2): the group of each channel, and its number there.
Labels = NDArray[np.int64]

# Layers that make channels, with the option that says how many.
MAKERS = {"Conv1D": "filters", "Conv2D": "filters", "Dense": "units"}
# Layers that change each channel by itself, with weights for each.
DEPTHWISE = ("DepthwiseConv1D", "DepthwiseConv2D")
NORMALIZATION = "BatchNormalization"
# Layers that compute each channel without those beside it, and have no weights.
_PASSING = (
    *("Activation", "ReLU", "LeakyReLU", "ELU"),
    *("Dropout", "SpatialDropout1D", "SpatialDropout2D", "GaussianNoise", "GaussianDropout"),
    *("MaxPooling1D", "MaxPooling2D", "AveragePooling1D", "AveragePooling2D"),
    *("GlobalMaxPooling1D", "GlobalMaxPooling2D", "GlobalAveragePooling1D", "GlobalAveragePooling2D"),
    *("ZeroPadding1D", "ZeroPadding2D", "Cropping1D", "Cropping2D", "UpSampling1D", "UpSampling2D"),
)
_MERGING = ("Add", "Subtract", "Multiply", "Average", "Maximum", "Minimum")


@dataclass(frozen=True)
class Channels:
    """The labels of what each layer takes and gives, by its name, and the size of each group that is not fixed.

    A layer that joins several tensors, or is called several times, is left out: it has no weights that could be cut.
    normalized: layers that give to a batch normalization alone, which scales and shifts each channel by itself.
    """

    takes: Mapping[str, Labels]
    gives: Mapping[str, Labels]
    groups: Mapping[int, int]
    normalized: frozenset[str]

    def kept(self, labels: Labels, keep: Mapping[int, NDArray[np.bool_]]) -> NDArray[np.bool_]:
        """Return which channels of a tensor are left. keep: which of each group; groups that it lacks stay whole."""
        return np.array([group not in keep or keep[group][number] for group, number in labels], bool)


def trace(keras: Any, model: Any) -> Channels:
    """Return the channels of a functional or sequential model."""
    network = keras.Model(model.inputs[0], model.outputs[0])
    return _Tracer(network).channels()


class _Tracer:
    """One network whose tensors are labelled, call by call."""

    def __init__(self, network: Any) -> None:
        self._network = network
        self._sizes: list[int] = []  # of each group, by its number
        self._joined: dict[int, int] = {}  # a group that became a part of another
        self._fixed: set[int] = set()
        self._labels: dict[int, Labels] = {}  # of a tensor, by its identity
        self._takes: dict[str, Labels] = {}
        self._gives: dict[str, Labels] = {}

    def channels(self) -> Channels:
        """Return what was found."""
        every = calls(self._network)
        times = Counter(id(node.operation) for node in every)
        for node in every:
            given = [self._labels[id(tensor)] for tensor in node.input_tensors]
            given_out = None if times[id(node.operation)] > 1 else self._through(node, given)
            if given_out is None:  # not known: nothing that it takes or gives can change
                self._fix(given)
                self._labels |= {id(tensor): self._new(tensor, is_fixed=True) for tensor in node.outputs}
                continue
            self._labels[id(node.outputs[0])] = given_out
            if len(given) == 1:
                self._takes[node.operation.name], self._gives[node.operation.name] = given[0], given_out
        self._fix([self._labels[id(tensor)] for tensor in self._network.outputs])
        fixed = {self._root(group) for group in self._fixed}
        roots = dict.fromkeys(self._root(group) for group in range(len(self._sizes)))
        groups = {root: self._sizes[root] for root in roots if root not in fixed and self._sizes[root] > 1}
        takes, gives = (
            {
                name: np.array([(self._root(int(group)), number) for group, number in labels], np.int64)
                for name, labels in labelled.items()
            }
            for labelled in (self._takes, self._gives)
        )
        return Channels(takes, gives, groups, _normalized(every))

    def _through(self, node: Any, given: Sequence[Labels]) -> Labels | None:
        """Return the labels of what a call gives out; None if that is not known."""
        layer, kind = node.operation, type(node.operation).__name__
        if node.is_input or len(node.outputs) != 1 or getattr(layer, "data_format", None) == "channels_first":
            return None
        (output,) = node.outputs
        if kind in _MERGING:
            return self._merged(given)
        if kind == "Concatenate":
            return np.concatenate(given) if layer.axis in (-1, len(output.shape) - 1) else None
        if len(given) != 1:
            return None
        (labels,) = given
        if kind in MAKERS and getattr(layer, "groups", 1) == 1:
            return self._new(output, is_fixed=False)
        if kind in DEPTHWISE:
            return np.repeat(labels, layer.depth_multiplier, axis=0)
        if kind in _PASSING or (kind == NORMALIZATION and layer.axis in (-1, len(output.shape) - 1)):
            return labels
        if kind == "Flatten" and output.shape[-1]:
            return np.tile(labels, (output.shape[-1] // len(labels), 1))
        return None

    def _new(self, tensor: Any, *, is_fixed: bool) -> Labels:
        """Return the labels of a group of its own."""
        group, size = len(self._sizes), (tensor.shape[-1] or 1) if len(tensor.shape) > 1 else 1
        self._sizes.append(size)
        if is_fixed:
            self._fixed.add(group)
        return np.stack([np.full(size, group), np.arange(size)], axis=1).astype(np.int64)

    def _merged(self, given: Sequence[Labels]) -> Labels | None:
        """Make one group of those whose channels are joined one by one; None if they are not whole groups."""
        first, *others = given
        for other in others:
            if not (self._is_whole(first) and self._is_whole(other) and len(first) == len(other)):
                return None
            group, into = self._root(int(other[0, 0])), self._root(int(first[0, 0]))
            if group != into:
                self._joined[group] = into
        return first

    def _is_whole(self, labels: Labels) -> bool:
        groups, numbers = labels.T
        size = self._sizes[int(groups[0])]
        return len(set(groups)) == 1 and np.array_equal(numbers, np.arange(size))

    def _fix(self, every: Sequence[Labels]) -> None:
        self._fixed |= {int(group) for labels in every for group in labels[:, 0]}

    def _root(self, group: int) -> int:
        while group in self._joined:
            group = self._joined[group]
        return group


def _normalized(every: Sequence[Any]) -> frozenset[str]:
    """Return the names of the layers whose output goes into a batch normalization that scales, and nowhere else."""
    takers = Counter(id(tensor) for node in every for tensor in node.input_tensors)
    scaling = [node for node in every if type(node.operation).__name__ == NORMALIZATION and node.operation.scale]
    scaled = {id(tensor) for node in scaling for tensor in node.input_tensors if takers[id(tensor)] == 1}
    return frozenset(node.operation.name for node in every for tensor in node.outputs if id(tensor) in scaled)
