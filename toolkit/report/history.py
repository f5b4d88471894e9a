"""Read the epochs of a run, checked: its history.csv may be anybody's."""

import csv
from pathlib import Path
from typing import NamedTuple

from toolkit.errors import RunError
from toolkit.files import read_bytes
from toolkit.files.damage import decoding

HISTORY = "history.csv"
_MOST_BYTES = 1 << 24
# No loss is greater, in a run that has not diverged.
_GREATEST = 1e12


class EpochFigures(NamedTuple):
    """What an epoch came to; what was not measured is no number."""

    epoch: int
    loss: float
    accuracy: float
    val_loss: float
    val_accuracy: float

    @property
    def validated(self) -> bool:
        """Whether there were validation images."""
        return abs(self.val_loss) < _GREATEST and abs(self.val_accuracy) < _GREATEST


_MEASURED = EpochFigures._fields[1:]


def read_history(folder: Path) -> list[EpochFigures]:
    """Return the epochs of a run, the first one first; RunError if its history is missing or damaged."""
    path = folder / HISTORY
    content = read_bytes(path, most=_MOST_BYTES, error=RunError, missing="no such file; 'toolkit train' writes it")
    with decoding(path, "the history of a run", error=RunError):
        rows = list(enumerate(csv.DictReader(content.decode("utf-8").splitlines()), 1))
        if not rows:
            raise ValueError("it has no epoch")
        if any(row["epoch"] != str(number) for number, row in rows):
            raise ValueError("its epochs are not counted from 1")
        epochs = [EpochFigures(number, *(float(row[name]) for name in _MEASURED)) for number, row in rows]
        if not all(abs(one.loss) < _GREATEST and abs(one.accuracy) < _GREATEST for one in epochs):
            raise ValueError("it has a loss or an accuracy that is no number")
    return epochs
