"""What a worker does for a session of the parent: open an artifact, and answer for images."""

import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from toolkit import runtimes
from toolkit.convention import from_message, sizes_for
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
    session.convention = from_message(convention)
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
    output = kept["layers"].alone(name, kept["known"], kept["values"])
    arrays = [one for one in (output.values, output.magnitudes) if one is not None]
    content = b"".join(np.ascontiguousarray(one, np.float32).tobytes() for one in arrays)
    return {"shape": output.values.shape, "count": output.count}, content


def try_out(kept: dict[str, Any], content: bytes, *, path: str, runtime: str, rows: list[int]) -> Answer:
    """Load a Keras model, and run it on zeros of the shape that it is asked about next, (N, …), or on one row.

    A model of several inputs, or of other rows, is not run: whoever loads it next refuses it, and says why.
    """
    model = load_model(Path(path))
    shape = _tried(model.inputs[0].shape, rows) if len(model.inputs) == 1 else None
    if shape is not None:
        with as_artifact_error(Path(path), "Keras cannot run it"):
            model(np.zeros(shape, np.float32), training=False)
    return {}, b""


def _tried(takes: Sequence[int | None], rows: Sequence[int]) -> tuple[int, ...] | None:
    """Return the shape of what an input is tried with; None if it takes other rows, or nobody says how large they are.

    takes: its own, (batch, …). rows: that of what it is asked about next, empty if that is not known.
    """
    own = takes[1:]
    sizes = [size for size in (sizes_for(takes, rows[1:]) if rows else own) if size is not None]
    if len(sizes) != len(own) or any(has not in (None, size) for has, size in zip(own, sizes, strict=True)):
        return None
    return (takes[0] or (rows[0] if rows else 1), *sizes)


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
    TRY: try_out,
}
