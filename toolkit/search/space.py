"""What is searched: networks of the family ``tiny``, each with a learning rate."""

from bisect import bisect_left
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import product
from math import prod, sqrt

from toolkit import units
from toolkit.models.tiny import TinyShape

# Members of the family that a budget of some kilobytes may allow; wider and deeper ones are no longer small.
WIDTHS, DEPTHS = (2, 32), (2, 6)
KERNELS, CONVOLUTIONS, REDUCTIONS = (3, 5), ("plain", "separable"), ("pool", "stride")
# Around Adam's default of 0.001: small networks with batch normalization take larger ones.
LEARNING_RATES = (5e-4, 2e-2)


@dataclass(frozen=True)
class Choice:
    """A point of the space; its fields are what is chosen. UsageError for what is none."""

    width: int
    depth: int
    kernel: int
    conv: str
    reduce: str
    learning_rate: float

    def __post_init__(self) -> None:
        _ = self.shape  # which has the kinds of convolutions and reductions
        sizes = {"width": WIDTHS, "depth": DEPTHS, "kernel": (KERNELS[0], KERNELS[-1])}
        for name, (least, most) in (sizes | {"learning_rate": LEARNING_RATES}).items():
            units.require_from(f"the {name.replace('_', ' ')}", getattr(self, name), least, most)

    @property
    def shape(self) -> TinyShape:
        """The network's shape."""
        return TinyShape(self.width, self.depth, self.kernel, self.conv, self.reduce)

    @property
    def model(self) -> str:
        """The network, as ``--model`` takes it."""
        return f"tiny:{self.shape}"

    def contains(self, other: "Choice") -> bool:
        """Say whether the other's network is the same or a smaller one: narrower, or with a smaller kernel."""
        same = (self.depth, self.conv, self.reduce) == (other.depth, other.conv, other.reduce)
        return same and other.width <= self.width and other.kernel <= self.kernel

    def deepens(self, other: "Choice") -> bool:
        """Say whether the other's network is this one with fewer blocks, so that its file is smaller."""
        return replace(self, depth=other.depth) == other and other.depth < self.depth


def usual() -> tuple[Choice, ...]:
    """Return what is tried first, if it fits: the family's default and, with a stride, what computes less.

    The learning rate is the middle one.
    """
    shape, rate = TinyShape(), sqrt(prod(LEARNING_RATES))
    default = Choice(shape.width, shape.depth, shape.kernel, shape.conv, shape.reduce, rate)
    return (default, replace(default, reduce="stride"))


def widest(choice: Choice, fits: Callable[[Choice], bool]) -> Choice | None:
    """Return the choice at the greatest width that fits, None if it fits at none; the wider, the more it takes."""
    at_widths = [replace(choice, width=width) for width in range(WIDTHS[0], WIDTHS[1] + 1)]
    number = bisect_left(at_widths, True, key=lambda one: not fits(one))
    return at_widths[number - 1] if number else None


def smallest() -> Iterator[Choice]:
    """Yield networks of which one takes the least, whatever is counted.

    A network takes more than each that it contains, so these have the least width and kernel. What a depth, a kind of
    convolution and a kind of reduction take depends on each other.
    """
    for depth, conv, reduce in product(range(DEPTHS[0], DEPTHS[1] + 1), CONVOLUTIONS, REDUCTIONS):
        yield Choice(WIDTHS[0], depth, KERNELS[0], conv, reduce, LEARNING_RATES[0])
