"""The parts of a training, each of one network: with ``--qat`` first in float, then with what integers will compute."""

from dataclasses import dataclass

from toolkit import models
from toolkit.runs import BEST
from toolkit.training.checkpoint import TrainingProgress
from toolkit.training.recipe import Recipe

# Where the best weights of the part in float are kept, which the rounding network starts from.
FLOAT = "float.keras"


@dataclass(frozen=True)
class Phase:
    """A part of a training. after: epochs before it. until: its last epoch. best: the file of its best weights.

    rounds: whether its network rounds as integer kernels do.
    """

    after: int
    until: int
    best: str
    rounds: bool

    def moves_bounds(self, epoch: int) -> bool:
        """Say whether the bounds of activations move in an epoch: in the first half of the part, rounded down.

        Then they stay, so that the weights come to rest on the steps that are exported.
        """
        return 2 * (epoch - self.after) <= self.until - self.after


def present(recipe: Recipe, progress: TrainingProgress) -> Phase:
    """Return the part that a training is in."""
    if not recipe.qat or models.weights_files(recipe.model):
        return Phase(0, recipe.epochs, BEST, recipe.qat)
    if progress.float_epochs is None:
        return Phase(0, recipe.epochs - recipe.rounding_epochs, FLOAT, rounds=False)
    return Phase(progress.float_epochs, progress.float_epochs + recipe.rounding_epochs, BEST, rounds=True)
