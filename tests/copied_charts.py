"""The charts of a training, copied from those of an earlier one: to draw them takes longer than a short epoch."""

import shutil
from collections.abc import Sequence
from math import isnan
from pathlib import Path

from toolkit.training import plots
from toolkit.training.checkpoint import Epoch
from toolkit.training.recipe import Recipe


class CopiedCharts:
    """Draws charts once for each set of parts that they can have; tests/training/test_plots.py is about what they show.

    folder: where those that were drawn are kept.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._drawn: dict[object, tuple[Path, Path]] = {}

    def draw(self, folder: Path, history: Sequence[Epoch], *, recipe: Recipe, data: str, best_epoch: int) -> None:
        """Write ``loss.png`` and ``accuracy.png`` into ``folder``."""
        is_kept_to_the_end = best_epoch == len(history)
        parts = data, recipe.monitor, recipe.additions, len(history) > 1, is_kept_to_the_end, isnan(history[0].val_loss)
        if parts not in self._drawn:
            kept = self._folder / str(len(self._drawn))
            kept.mkdir()
            self._drawn[parts] = plots.draw(kept, history, recipe=recipe, data=data, best_epoch=best_epoch)
        for path in self._drawn[parts]:
            shutil.copyfile(path, folder / path.name)
