"""A teacher: a trained model whose answers a smaller one learns, besides the labels."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from toolkit import manifest, models, runs, units
from toolkit.convention import Convention
from toolkit.data.base import Dataset, Split
from toolkit.data.base.parts import Parts
from toolkit.data.base.pixels import chunks
from toolkit.errors import RunError, UsageError
from toolkit.files import require_file
from toolkit.files.memory import check_memory
from toolkit.runs import BEST
from toolkit.training import inputs, transfer
from toolkit.worker.keras import load_model

# Rows whose answers are computed at once.
_ROWS = 500
# Training rows that a teacher is tried on.
_TRIED_ROWS = 500
# Cohen's kappa up to which two agree no more than slightly (Landis and Koch 1977, "The Measurement of Observer
# Agreement for Categorical Data", section 3): a teacher that agrees so little with the labels knows other classes.
_SLIGHT = 0.2


def find(teacher: str) -> Path:
    """Return the Keras file of a teacher: itself, or the best weights of the run of that name or folder.

    Raises UsageError if there is no such run and no such file.
    """
    try:
        path = Path(teacher) if models.weights_files(teacher) else runs.find(teacher) / BEST
    except RunError as problem:
        raise UsageError(f"{problem}; a teacher is a run or a {models.WEIGHTS_SUFFIX} file") from problem
    require_file(path, error=UsageError)
    return path


class Teacher:
    """Answers rows with probabilities (N, classes) float32.

    convention: what it takes. Raises UsageError, before it is asked, if it takes other rows than those of the data or
    has other classes.
    """

    def __init__(self, tf: Any, path: Path, parts: Parts) -> None:
        """Load a Keras file, and try it on some of the rows that are learned from."""
        dataset = parts.dataset
        self._tf = tf
        self._path = path
        self._model = load_model(path, (min(_ROWS, len(dataset.train)), *dataset.input_shape))
        self._classes, self._noun = dataset.classes, dataset.noun
        transfer.check_input(self._model, path, dataset)
        self.convention = inputs.file_convention(self._model, path, dataset)
        self._taken = inputs.compiled(tf, self.convention)
        self._check(dataset, self.convention)
        advice = "export it with {}, and give the file of that export"
        inputs.check(self._model, path, self.convention, parts, advice=advice)
        self._answer = tf.function(self.__call__, autograph=False, reduce_retracing=True)
        self._accuracy, self._tried = self._try(dataset, parts.training_rows)

    def __call__(self, rows: Any) -> Any:
        """Return the answers to rows of data: pixels from 0 to 255, of any type, or values. It can be compiled."""
        return self._tf.cast(self._model(self._taken(rows), training=False), self._tf.float32)

    @property
    def words(self) -> tuple[str, ...]:
        """What a user is told of it when training begins."""
        return (f"a teacher that is right on {units.percent(self._accuracy)} of {self._tried} training {self._noun}s",)

    def answers(self, split: Split, numbers: NDArray[np.int64]) -> NDArray[np.float32]:
        """Return (rows of the split, classes) with the answers to the rows of those numbers; all others are 0."""
        size = len(split) * self._classes * np.dtype(np.float32).itemsize
        check_memory(size, what=f"{self._path}: what it answers to {len(split):,} rows", error=UsageError)
        answers = np.zeros((len(split), self._classes), np.float32)
        answers[numbers] = self._answers(split, numbers)
        return answers

    def _check(self, dataset: Dataset, convention: Convention) -> None:
        if self._model.output_shape != (None, dataset.classes):
            raise UsageError(
                f"{self._path}: answers with {self._model.output_shape[-1]} numbers, '{dataset.name}' has "
                f"{dataset.classes} classes; a teacher tells the same classes apart"
            )
        listed = manifest.listing(self._path)
        if listed is not None and listed.data.classes != dataset.class_names:
            knows, has = (", ".join(names) for names in (listed.data.classes, dataset.class_names))
            raise UsageError(f"{self._path}: knows the classes {knows}; '{dataset.name}' has {has}")
        transfer.check_output(self._model, self._path, dataset, convention)

    def _try(self, dataset: Dataset, learned: NDArray[np.int64]) -> tuple[float, int]:
        """Return (accuracy, rows) on some training rows; UsageError if it is hardly more than chance."""
        # From end to end: rows may be sorted by class.
        rows = learned[np.linspace(0, len(learned) - 1, min(len(learned), _TRIED_ROWS)).astype(int)]
        labels, answers = dataset.train.labels[rows], self._answers(dataset.train, rows).argmax(axis=1)
        accuracy = float(np.mean(answers == labels))
        shares = [np.bincount(classes, minlength=self._classes) / len(rows) for classes in (labels, answers)]
        by_chance = float(np.dot(*shares))
        if accuracy - by_chance <= _SLIGHT * (1 - by_chance):
            raise UsageError(
                f"{self._path}: is right on {units.percent(accuracy)} of {len(rows)} training {dataset.noun}s, hardly "
                f"more than by chance; a teacher knows the classes of '{dataset.name}', in the same order"
            )
        return accuracy, len(rows)

    def _answers(self, split: Split, numbers: NDArray[np.int64]) -> NDArray[np.float32]:
        """Return the answers to the rows of those numbers, in their order."""
        return np.concatenate([self._answer(split.images[some]).numpy() for some in chunks(numbers, _ROWS)])
