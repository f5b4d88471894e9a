"""What a network takes, found out before it is trained: it is built, converted to int8 and looked at.

The weights do not matter for that, only their number: those of a network that learned nothing are taken. Conversions
leave memory behind, so they are made in a process of its own, which is replaced after some of them.
"""

from collections.abc import Sequence
from dataclasses import replace
from math import prod
from types import TracebackType
from typing import Any

import numpy as np

from toolkit import extras, locks, models, runs, runtimes
from toolkit.data.base import Dataset
from toolkit.data.base.parts import divide
from toolkit.export.formats import c, tflite
from toolkit.export.formats.base import Request
from toolkit.export.prepare import prepare
from toolkit.files import documents
from toolkit.runtimes import for_file
from toolkit.runtimes.keras.loading import load_model
from toolkit.search.budgets import Budgets, Costs
from toolkit.search.measures import MEASURES
from toolkit.training import inputs, network, quantization
from toolkit.training.recipe import Recipe
from toolkit.training.trial import random_rows
from toolkit.worker.child import Task
from toolkit.worker.process import Process

MEASURE = "measure"
# The file of a network whose costs are looked for.
NAME = f"network{tflite.SUFFIX}"
# Seconds that a conversion may take: the first one imports TensorFlow.
PATIENCE_S = 300.0
# Conversions of one process.
CONVERSIONS = 40
# Rows that integer ranges are taken from: they change numbers in the file, not how many.
ROWS = 2


class Costing:
    """Finds out what networks take on rows of some data, and remembers it. Its process ends with the block.

    budgets: what is measured on the file is measured where it is limited, as long as all that is known of it is met.
    qat: whether they are trained with the rounding of integer kernels, which gives another file.
    """

    def __init__(self, dataset: Dataset, budgets: Budgets, *, qat: bool = False) -> None:
        self._about = {
            "input_shape": list(dataset.input_shape),
            "classes": dataset.classes,
            "dtype": dataset.train.images.dtype.name,
            "qat": qat,
        }
        self._budgets = budgets
        self._known: dict[str, Costs] = {}
        self._process: Process | None = None

    def __enter__(self) -> "Costing":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._end()

    def costs_of(self, model: str) -> Costs:
        """Return what a network, or a Keras file, takes. ArtifactError if it cannot be converted or measured."""
        if model not in self._known:
            if len(self._known) % CONVERSIONS == 0:
                self._end()
            if self._process is None:
                self._process = Process("the conversion to int8", __name__, patience_s=PATIENCE_S)
            answer, content = self._process.ask({"do": MEASURE, "model": model, **self._about})
            costs = documents.convert(answer, Costs, model, what="the costs of a network")
            self._known[model] = self._with_measured(costs, content)
        return self._known[model]

    def _with_measured(self, costs: Costs, content: bytes) -> Costs:
        """Return the costs of a file with those that are measured on it."""
        with locks.scratch() as folder:
            path = folder / NAME
            path.write_bytes(content)
            for cost in self._budgets.measured:
                if self._budgets.excess(costs):
                    break
                measured: dict[str, Any] = {cost.field: MEASURES[cost.field](path)}
                costs = replace(costs, **measured)
        return costs

    def _end(self) -> None:
        if self._process is not None:
            self._process.close()
            self._process = None


def _measure(
    kept: dict[str, Any],
    content: bytes,
    *,
    model: str,
    input_shape: Sequence[int],
    classes: int,
    dtype: str,
    qat: bool,
) -> tuple[dict[str, Any], bytes]:
    """Convert a network, trained or not, and look at the file, which is returned too; in a process of its own."""
    keras = extras.load("keras")
    parts = divide(random_rows(tuple(input_shape), classes, ROWS, dtype), share=0, seed=0)
    files = models.weights_files(model)
    made = load_model(files[0]) if files else network.float32_model(keras, Recipe(model=model), parts)
    _draw(made)
    parameters = made.count_params()
    if qat:
        made = quantization.fake_quantized(keras, made, parts)
    rows = parts.dataset.train.images
    convention = inputs.file_convention(made, files[0], parts.dataset) if files else runs.FED.taking(rows)
    with locks.scratch() as work:
        path = work / NAME
        tflite.convert(prepare(made, work), Request("int8", convention.values(rows), convention), path)
        file, nodes = path.read_bytes(), runtimes.get(for_file(path)).nodes(path)
        costs = Costs(
            size_bytes=len(file),
            macs=sum(node.operator.macs or 0 for node in nodes),
            memory_bytes=c.least_arena(file),
            parameters=parameters,
        )
    keras.backend.clear_session()
    return documents.to_tree(costs), file


def _draw(model: Any) -> None:
    """Draw all weights so that no two are equal, which the converter would write once, and none of its sums is 0.

    An activation that is 0 for each calibration row gets a scale that no kernel takes.
    """
    rng = np.random.default_rng(0)
    model.set_weights([rng.uniform(0.5, 1.5, one.shape) / prod(one.shape[:-1]) for one in model.get_weights()])


TASKS: dict[str, Task] = {MEASURE: _measure}
