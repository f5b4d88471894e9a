"""What a worker does for a session of the parent: open an artifact, and answer for images."""

import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from toolkit import runtimes
from toolkit.convention import of_message
from toolkit.files.documents import to_tree
from toolkit.runtimes.base import Session
from toolkit.worker.child import Task

OPEN, PREDICT, TRACE, TENSOR, NODES = "open", "predict", "trace", "tensor", "nodes"
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
    kept["tensors"] = found = runtimes.get(runtime).trace(Path(path), values)
    return {"tensors": [{"name": one.name, "shape": one.values.shape} for one in found]}, b""


def _tensor(kept: dict[str, Any], content: bytes, *, place: int) -> Answer:
    return {}, np.ascontiguousarray(kept["tensors"][place].values, np.float32).tobytes()


def _nodes(kept: dict[str, Any], content: bytes, *, path: str, runtime: str) -> Answer:
    return {"nodes": [asdict(one) for one in runtimes.get(runtime).nodes(Path(path))]}, b""


TASKS: dict[str, Task] = {
    OPEN: _open,
    PREDICT: _predict,
    TRACE: _trace,
    TENSOR: _tensor,
    NODES: _nodes,
}
