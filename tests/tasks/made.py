"""The data of the tasks: real ones that packages carry, and made ones by a seed, in the files that people have."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from toolkit.reading import AS_THEY_ARE, Reading


@dataclass(frozen=True)
class Made:
    """Data in files. data: what ``--data`` takes. asked: a file to classify; answer: the class of all of its rows."""

    data: Path
    asked: Path
    answer: str


def table(folder: Path) -> Made:
    """Return the breast cancer table of Wisconsin (W. Street, W. Wolberg, O. Mangasarian, 1993) of scikit-learn."""
    from sklearn.datasets import load_breast_cancer

    found = load_breast_cancer()
    columns = [name.replace(" ", "_") for name in found.feature_names]
    names = [str(found.target_names[label]) for label in found.target]
    # Values as the file has them: the median row of a class is one that nobody disputes.
    typical = np.median(found.data[found.target == 1], axis=0)
    lines = [",".join((*map(repr, map(float, row)), name)) for row, name in zip(found.data, names, strict=True)]
    (folder / "cancer.csv").write_text("\n".join((",".join((*columns, "diagnosis")), *lines)) + "\n")
    (folder / "asked.csv").write_text(f"{','.join(columns)}\n{','.join(map(repr, map(float, typical)))}\n")
    return Made(folder / "cancer.csv", folder / "asked.csv", "benign")


@dataclass(frozen=True)
class Task:
    """A task. make: writes its data into a folder. least: the accuracy below which something is broken."""

    name: str
    about: str
    model: str
    epochs: int
    least: float
    reading: Reading = AS_THEY_ARE

    def make(self, folder: Path) -> Made:
        """Write its data into a folder."""
        made: Made = globals()[self.name](folder)
        return made


TASKS = (Task("table", "569 tumours by 30 measures, scikit-learn's breast cancer table", "mlp", 40, 0.93),)
