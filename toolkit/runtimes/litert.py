"""LiteRT, formerly TensorFlow Lite, with its default kernels (XNNPACK where it can)."""

import os
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from toolkit import extras
from toolkit.errors import ArtifactError
from toolkit.manifest import TensorSpec
from toolkit.runtimes.base import Session, require_file, single

SUFFIXES = (".tflite",)
PACKAGE = "ai_edge_litert.interpreter"
DISTRIBUTIONS = ("ai-edge-litert",)


class LiteRTSession(Session):
    """A LiteRT interpreter."""

    def __init__(self, path: Path, *, threads: int) -> None:
        module = extras.load(PACKAGE)
        require_file(path)
        self.path = path
        try:
            with extras.streams_to(Path(os.devnull)):  # it announces its XNNPACK delegate on stderr
                self._interpreter = module.Interpreter(str(path), num_threads=threads or None)
                self._interpreter.allocate_tensors()
        except (ValueError, RuntimeError) as error:
            raise ArtifactError(f"{path}: LiteRT cannot load it: {error}") from error
        names = self._signature_names()
        inputs, outputs = self._interpreter.get_input_details(), self._interpreter.get_output_details()
        self.input = single([_spec(d, names[0]) for d in inputs], path=path, what="input")
        self.output = single([_spec(d, names[1]) for d in outputs], path=path, what="output")
        self._input_index, self._output_index = inputs[0]["index"], outputs[0]["index"]
        self._batch = int(inputs[0]["shape"][0])

    def resize(self, batch: int) -> None:
        """Make the input (batch, …) and allocate for it."""
        if batch == self._batch:
            return
        if self.input.shape[0] is not None:
            raise ArtifactError(f"{self.path}: its batch is fixed to {self.input.shape[0]}, {batch} was asked for")
        try:
            self._interpreter.resize_tensor_input(self._input_index, [batch, *self.input.shape[1:]])
            self._interpreter.allocate_tensors()
        except (ValueError, RuntimeError) as error:
            raise ArtifactError(f"{self.path}: LiteRT cannot run a batch of {batch}: {error}") from error
        self._batch = batch

    def set_input(self, values: NDArray[Any]) -> None:
        """Copy the input into the interpreter."""
        self._interpreter.set_tensor(self._input_index, values)

    def invoke(self) -> None:
        """Run the interpreter once."""
        self._interpreter.invoke()

    def read_output(self) -> NDArray[Any]:
        """Copy the output out of the interpreter."""
        output: NDArray[Any] = self._interpreter.get_tensor(self._output_index)
        return output

    def _signature_names(self) -> tuple[str | None, str | None]:
        """Return the names of input and output in the model's only signature, where it has one."""
        signatures = self._interpreter.get_signature_list()
        if len(signatures) != 1:
            return None, None
        (signature,) = signatures.values()
        return next(iter(signature["inputs"]), None), next(iter(signature["outputs"]), None)


def _spec(details: dict[str, Any], name: str | None) -> TensorSpec:
    signature = details.get("shape_signature")
    shape = details["shape"] if signature is None or not len(signature) else signature
    scale, zero_point = details["quantization"]
    return TensorSpec(
        name=name or details["name"],
        shape=tuple(None if size < 0 else int(size) for size in shape),
        dtype=np.dtype(details["dtype"]).name,
        scale=float(scale) if scale else None,
        zero_point=int(zero_point) if scale else None,
    )


def open_session(path: Path, *, threads: int = 1) -> Session:
    """Load a ``.tflite`` file."""
    return LiteRTSession(path, threads=threads)
