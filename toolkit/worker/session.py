"""Sessions of a worker: an artifact runs there, and its outputs come here."""

import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from toolkit import extras, runtimes
from toolkit.convention import Convention, from_message
from toolkit.files import documents, require_file
from toolkit.files.documents import to_tree
from toolkit.manifest import TensorSpec
from toolkit.runtimes import REFERENCE_RUNTIME
from toolkit.runtimes.base import Predictor, Traced, check_rows
from toolkit.runtimes.base.graph import Node
from toolkit.runtimes.keras.layers import LayerOutput
from toolkit.worker.process import Process
from toolkit.worker.tasks import ALONE, KNOW, LAYERS, NODES, OPEN, PREDICT, TENSOR, TRACE, TRY

TASKS = "toolkit.worker.tasks"
# Seconds that a worker may take to open an artifact and to run one image, beyond what is usual: a large model from a
# slow card. An endless one costs that much.
PATIENCE_S = 60.0
# How many times as long as its first image an artifact may take for each of the others.
SLOWER = 20.0
# Seconds that the layers of a Keras model may take for each row.
ROW_S = 0.25
# Bytes of images in one message.
MESSAGE_BYTES = 1 << 24


class ContainedSession(Predictor):
    """One artifact that is open in a worker. Whatever it does there is an ArtifactError here."""

    def __init__(self, process: Process, path: Path, answer: dict[str, Any]) -> None:
        self.path = path
        self._declared = from_message(answer["declared"])
        self.inputs, self.outputs = (
            tuple(TensorSpec(**{**one, "shape": tuple(one["shape"])}) for one in answer[name])
            for name in ("inputs", "outputs")
        )
        self.remark = answer["remark"]
        self._process = process
        self._image_s: float | None = None

    @property
    def declared(self) -> Convention | None:
        """What the file itself says of its input."""
        return self._declared

    def predict(self, rows: NDArray[Any]) -> NDArray[np.float32]:
        """Return the outputs for rows of data: (N, …) float32; the first row alone at first."""
        check_rows(rows, self)
        parts = []
        if self._image_s is None:  # by which it is known how long the others may take
            parts, rows = [self._ask(rows[:1])], rows[1:]
        step = max(1, MESSAGE_BYTES // max(1, math.prod(rows.shape[1:]) * rows.itemsize))
        parts += [self._ask(rows[start : start + step]) for start in range(0, len(rows), step)]
        return np.concatenate(parts)

    def _ask(self, rows: NDArray[Any]) -> NDArray[np.float32]:
        question = {"do": PREDICT, "shape": list(rows.shape), "convention": to_tree(self.convention)}
        seconds = SLOWER * (self._image_s or 0.0) * len(rows)
        answer, content = self._process.ask(question, np.ascontiguousarray(rows).tobytes(), seconds=seconds)
        self._image_s = self._image_s or float(answer["seconds"])
        return np.frombuffer(content, np.float32).reshape(answer["shape"])


class Workers:
    """One worker at a time, started ahead: it imports while the caller reads. A new one if the last has failed."""

    def __init__(self) -> None:
        self._process = _start()

    def open_session(self, path: Path, *, threads: int = 1, kernels: str | None = None) -> ContainedSession:
        """Load a file on the runtime of its suffix; what was opened before is closed. threads: as for a runtime."""
        process, about = self._worker(path)
        answer, _ = process.ask({"do": OPEN, **about, "threads": threads, "kernels": kernels})
        return ContainedSession(process, path, answer)

    def trace(self, path: Path, values: NDArray[np.float32]) -> list[Traced]:
        """Return the tensors of an artifact for real values (N, …), as its runtime's ``trace``."""
        process, about = self._worker(path)
        question = {"do": TRACE, **about, "shape": values.shape}
        answer, _ = process.ask(question, np.ascontiguousarray(values, np.float32).tobytes())
        return _tensors(process, answer)

    def layers(self, path: Path, values: NDArray[np.float32], *, rounded: bool) -> dict[str, NDArray[np.float32]]:
        """Return the output of each layer of a Keras model for real values (N, …), as ``Layers.together``."""
        process, about = self._worker(path, REFERENCE_RUNTIME)
        question = {"do": LAYERS, **about, "shape": values.shape, "rounded": rounded}
        content = np.ascontiguousarray(values, np.float32).tobytes()
        answer, _ = process.ask(question, content, seconds=ROW_S * len(values))
        return {one.name: one.values for one in _tensors(process, answer)}

    def alone(self, path: Path, known: Mapping[str, NDArray[np.float32]]) -> Iterator[LayerOutput]:
        """Yield what each layer of the model of the last ``layers`` gives out alone, as ``Layers.alone``.

        known: by name, what layers give out to those behind them. Only of these outputs are yielded, in their order.
        """
        process, _ = self._worker(path, REFERENCE_RUNTIME)
        for name, values in known.items():
            question = {"do": KNOW, "name": name, "shape": values.shape}
            process.ask(question, np.ascontiguousarray(values, np.float32).tobytes())
        for name, values in known.items():
            answer, content = process.ask({"do": ALONE, "name": name}, seconds=ROW_S * len(values))
            output, *magnitudes = np.frombuffer(content, np.float32).reshape(-1, *answer["shape"])
            yield LayerOutput(output, answer["count"], *magnitudes)

    def try_out(self, path: Path, rows: Sequence[int]) -> None:
        """Load a Keras file and run it once, for its effect on the worker alone.

        rows: the shape (N, …) of what it is asked about next; empty if that is not known.
        """
        process, about = self._worker(path, REFERENCE_RUNTIME)
        process.ask({"do": TRY, **about, "rows": list(rows)}, seconds=ROW_S * math.prod(rows[:1]))

    def nodes(self, path: Path) -> list[Node]:
        """Return the operators of an artifact at their places, as its runtime's ``nodes``."""
        process, about = self._worker(path)
        answer, _ = process.ask({"do": NODES, **about})
        return [documents.convert(one, Node, path, what="a graph") for one in answer["nodes"]]

    def close(self) -> None:
        """End the worker."""
        self._process.close()

    def _worker(self, path: Path, runtime: str | None = None) -> tuple[Process, dict[str, str]]:
        """Return a worker that lives, and what every question about a file says. runtime: None: the file's own."""
        require_file(path)
        runtime = runtime or runtimes.for_file(path)
        extras.require(runtimes.get(runtime).PACKAGE)
        if self._process.failed:
            self._process.close()
            self._process = _start()
        self._process.what = f"{path}: {runtime}"
        return self._process, {"path": str(path), "runtime": runtime}


def _start() -> Process:
    return Process("", TASKS, patience_s=PATIENCE_S)


@contextmanager
def contained() -> Iterator[Workers]:
    """Yield workers, and end them with the block."""
    workers = Workers()
    try:
        yield workers
    finally:
        workers.close()


def _tensors(process: Process, answer: dict[str, Any]) -> list[Traced]:
    """Ask for the tensors that an answer lists."""
    tensors = []
    for place, one in enumerate(answer["tensors"]):
        _, content = process.ask({"do": TENSOR, "place": place})
        tensors.append(Traced(one["name"], np.frombuffer(content, np.float32).reshape(one["shape"])))
    return tensors
