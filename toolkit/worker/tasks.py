"""What a worker does for a session of the parent: open an artifact, and answer for images."""

import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from toolkit import runtimes
from toolkit.convention import of_message
from toolkit.files.documents import to_tree
from toolkit.runtimes.base import Session, Traced, as_artifact_error
from toolkit.runtimes.keras.layers import Layers
from toolkit.runtimes.keras.loading import load_model
from toolkit.worker.child import Task

OPEN, PREDICT, TRACE, TENSOR, NODES = "open", "predict", "trace", "tensor", "nodes"
LAYERS, KNOW, ALONE, TRY = "layers", "know", "alone", "try"
Answer = tuple[dict[str, Any], bytes]


def _open(
    kept: dict[str, Any], content: bytes, *, path: str, runtime: str, threads: int, kernels: str | None
) -> Answer:
    kept.pop("session", None)  # before the next takes memory
    kept["session"] = session = runtimes.get(runtime).open_session(Path(path), threads=threads, kernels=kernels)
    specs = {name: [asdict(one) for one in getattr(session, name)] for name in ("inputs", "outputs")}
    return {**specs, "remark": session.remark, "declared": to_tree(session.declared)}, b""


def _predict(kept: dict[str, Any], content: bytes, *, shape: list[int], convention: dict[str, Any]) -> Answer:
    """Return the outputs for rows of data, and the seconds that they took."""
    session: Session = kept["session"]
    session.convention = of_message(convention)
    rows = np.frombuffer(content, session.convention.dtype).reshape(shape)
    began = time.perf_counter()
    outputs = session.predict(rows)
    return {"shape": outputs.shape, "seconds": time.perf_counter() - began}, outputs.astype(np.float32).tobytes()


def _trace(kept: dict[str, Any], content: bytes, *, path: str, runtime: str, shape: list[int]) -> Answer:
    """Run real values through an artifact; return its tensors' names and shapes, each to be asked for by its place."""
    values = np.frombuffer(content, np.float32).reshape(shape)
    return _listed(kept, runtimes.get(runtime).trace(Path(path), values))


def _tensor(kept: dict[str, Any], content: bytes, *, place: int) -> Answer:
    return {}, np.ascontiguousarray(kept["tensors"][place].values, np.float32).tobytes()


def _layers(
    kept: dict[str, Any], content: bytes, *, path: str, runtime: str, shape: list[int], rounded: bool
) -> Answer:
    """Run real values through a Keras model; return its layers' names and shapes, as ``_trace`` does."""
    kept["layers"], kept["known"] = Layers(Path(path), rounded=rounded), {}
    kept["values"] = np.frombuffer(content, np.float32).reshape(shape)
    return _listed(kept, [Traced(*output) for output in kept["layers"].together(kept["values"]).items()])


def _know(kept: dict[str, Any], content: bytes, *, name: str, shape: list[int]) -> Answer:
    """Keep what a layer gives out where other layers are run alone."""
    kept["known"][name] = np.frombuffer(content, np.float32).reshape(shape)
    return {}, b""


def _alone(kept: dict[str, Any], content: bytes, *, name: str) -> Answer:
    """Return the output of one layer where those before it give out what is known."""
    found = kept["layers"].alone(name, kept["known"], kept["values"])
    arrays = [one for one in (found.values, found.magnitudes) if one is not None]
    content = b"".join(np.ascontiguousarray(one, np.float32).tobytes() for one in arrays)
    return {"shape": found.values.shape, "count": found.count}, content


def _try(kept: dict[str, Any], content: bytes, *, path: str, runtime: str) -> Answer:
    """Load a Keras model, and run it on a row of zeros if it tells how large a row is.

    A model of several inputs is not run: whoever loads it next refuses it, and says why.
    """
    model = load_model(Path(path))
    sizes = tuple(model.inputs[0].shape[1:])
    if len(model.inputs) == 1 and None not in sizes:
        with as_artifact_error(Path(path), "Keras cannot run it"):
            model(np.zeros((1, *sizes), np.float32), training=False)
    return {}, b""


def _listed(kept: dict[str, Any], tensors: list[Traced]) -> Answer:
    """Keep tensors; return their names and shapes."""
    kept["tensors"] = tensors
    return {"tensors": [{"name": one.name, "shape": one.values.shape} for one in tensors]}, b""


def _nodes(kept: dict[str, Any], content: bytes, *, path: str, runtime: str) -> Answer:
    return {"nodes": [asdict(one) for one in runtimes.get(runtime).nodes(Path(path))]}, b""


TASKS: dict[str, Task] = {
    OPEN: _open,
    PREDICT: _predict,
    TRACE: _trace,
    TENSOR: _tensor,
    NODES: _nodes,
    LAYERS: _layers,
    KNOW: _know,
    ALONE: _alone,
    TRY: _try,
}
