"""The graph of an artifact: its operators, what each takes, and what it costs."""

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import prod
from typing import ClassVar

# What an operator multiplies in.
FLOAT32, INT8 = "float32", "int8"
# Sizes of inputs, by their names.
Shapes = Mapping[str, Sequence[int]]


@dataclass(frozen=True)
class Operator:
    """An operator of an artifact, and which kernels execute it.

    macs: multiply-accumulates of one inference, of convolutions and matrix products; 0 if it has none to speak of,
    None if the shapes do not tell. arithmetic: what it multiplies in, if it does. weight_bytes: of its constants,
    as its kernels take them.
    """

    DERIVED: ClassVar = ("seconds",)  # as a profile has them
    name: str
    kernels: str
    macs: int | None = 0
    arithmetic: str | None = None
    weight_bytes: int = 0


@dataclass(frozen=True)
class Node:
    """An operator at its place in the graph.

    name: what the file calls it, or what it gives out. shape: of its first output, beginning with the batch; None if
    that is not known. parameters: of how many numbers its constants are, without those that are shapes and axes.
    takes: the places of the nodes whose outputs it takes, -1 for the inputs of the graph.
    """

    operator: Operator
    name: str
    shape: tuple[int, ...] | None
    parameters: int
    takes: tuple[int, ...]

    @property
    def without_sizes(self) -> "Node":
        """The same where the sizes of the inputs are not known."""
        return replace(self, shape=None, operator=replace(self.operator, macs=0 if self.operator.macs == 0 else None))


def edges(ends: Sequence[tuple[Iterable[Hashable], Iterable[Hashable]]]) -> list[tuple[int, ...]]:
    """Return what each operator takes, as ``Node`` has it. ends: the tensors that each takes and gives out, in order.

    Constants are left out there: what no operator before gives out is an input of the graph.
    """
    made: dict[Hashable, int] = {}
    takes = []
    for place, (taken, given) in enumerate(ends):
        takes.append(tuple(dict.fromkeys(made.get(tensor, -1) for tensor in taken)))
        made |= dict.fromkeys(given, place)
    return takes


def convolution_macs(result: Sequence[int], weights: Sequence[int]) -> int:
    """Return the multiply-accumulates of a convolution: for each output, a filter. weights: (filters, …)."""
    return prod(result) * prod(weights[1:])


def product_macs(rows: Sequence[int], result: Sequence[int]) -> int:
    """Return those of a matrix product: each value of the left matrix is used for each column of the result."""
    return prod(rows) * (result[-1] if result else 1)
