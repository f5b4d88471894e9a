"""What an artifact may compute differently on another kind of CPU."""

from dataclasses import dataclass, field

# Layers that a sentence names.
NAMED_LAYERS = 3


@dataclass(frozen=True)
class Portability:
    """What an artifact may compute differently on another kind of CPU.

    saturating: layers whose sums in integers may saturate there, by name, with the greatest sum of two products that
    are added. limit: the greatest that is added right. where: on which CPUs. here: whether this is one of them.
    right_as_written: whether the operators that the file names, executed one by one, do not saturate.
    not_analysed: why parts of it could not be looked at.
    """

    saturating: dict[str, int] = field(default_factory=dict)
    limit: int = 0
    where: str = ""
    here: bool = False
    right_as_written: bool = True
    not_analysed: tuple[str, ...] = ()

    @property
    def notes(self) -> list[str]:
        """What is to be told of it: a sentence on what saturates, and what could not be looked at."""
        unknown = [f"not analysed for saturation: {reason}" for reason in self.not_analysed]
        return [str(self), *unknown] if self.saturating else unknown

    def __str__(self) -> str:
        """Return one sentence on what saturates, of which there is some."""
        named, others = list(self.saturating)[:NAMED_LAYERS], len(self.saturating) - NAMED_LAYERS
        layers = ", ".join(named) + (f" and {others} more" if others > 0 else "")
        greatest, this = max(self.saturating.values()), "one" if self.here else "not one"
        return (
            f"{layers} can saturate on {self.where}: a sum of two products may be {greatest:,}, an int16 holds "
            f"{self.limit:,}; this machine is {this} of those"
        )
