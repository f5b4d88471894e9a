"""LiteRT, formerly TensorFlow Lite, with its default kernels (XNNPACK if it can)."""

import os
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from toolkit import extras
from toolkit.errors import ArtifactError
from toolkit.files import require_file, write_bytes
from toolkit.manifest import TensorSpec
from toolkit.portability import Portability
from toolkit.runtimes.base import Session, Traced, as_artifact_error, check_size, dequantize, reason, tflite
from toolkit.runtimes.base.graph import Node, Shapes

SUFFIXES = (".tflite",)
PACKAGE = "ai_edge_litert.interpreter"
DISTRIBUTIONS = ("ai-edge-litert",)
QUANTIZATIONS = None
# Reads and writes the file format.
FORMAT = "ai_edge_litert.tools.flatbuffer_utils"
# XNNPACK if it can and the built-in kernels elsewhere; the built-in ones alone; the plain loops they are tested by.
XNNPACK, BUILTIN, REFERENCE = "XNNPACK", "built-in", "reference"
KERNELS = (XNNPACK, BUILTIN, REFERENCE)
_RESOLVERS = {XNNPACK: "AUTO", BUILTIN: "BUILTIN_WITHOUT_DEFAULT_DELEGATES", REFERENCE: "BUILTIN_REF"}
_DELEGATE = "DELEGATE"


class LiteRTSession(Session):
    """A LiteRT interpreter."""

    def __init__(
        self, path: Path, *, threads: int, kernels: str, keep_tensors: bool = False, content: bytes | None = None
    ) -> None:
        """Load a file. content: what to load in its place."""
        module = extras.load(PACKAGE)
        require_file(path)
        self.path = path
        # It announces its XNNPACK delegate on stderr, and warns of the memory that kept tensors take.
        with (
            as_artifact_error(path, "LiteRT cannot load it"),
            extras.streams_to(Path(os.devnull)),
            warnings.catch_warnings(action="ignore"),
        ):
            self._interpreter = module.Interpreter(
                str(path) if content is None else None,
                content,
                num_threads=threads or len(os.sched_getaffinity(0)),  # by itself it takes one
                experimental_op_resolver_type=getattr(module.OpResolverType, _RESOLVERS[kernels]),
                experimental_preserve_all_tensors=keep_tensors,
            )
            tensors = (*self._interpreter.get_input_details(), *self._interpreter.get_output_details())
            check_size([_spec(details, None) for details in tensors], path=path)
            self._interpreter.allocate_tensors()
        with as_artifact_error(path, "LiteRT cannot describe it"):
            names = self._signature_names()
            inputs, outputs = self._interpreter.get_input_details(), self._interpreter.get_output_details()
            self.inputs = tuple(_spec(details, names.get(details["index"])) for details in inputs)
            self.outputs = tuple(_spec(details, names.get(details["index"])) for details in outputs)
        self._input_indices = [details["index"] for details in inputs]
        self._output_indices = [details["index"] for details in outputs]
        self._free = [None in spec.shape for spec in self.inputs]
        self._batch: int | None = None

    def resize(self, batch: int) -> None:
        """Make every input whose first size is free (batch, …), give others their shape, and allocate for it."""
        if batch == self._batch:
            return
        with as_artifact_error(self.path, f"LiteRT cannot run a batch of {batch}"):
            for index, spec, free in zip(self._input_indices, self.inputs, self._free, strict=True):
                if free and None not in spec.shape[1:]:
                    self._interpreter.resize_tensor_input(index, [spec.shape[0] or batch, *spec.shape[1:]])
            self._interpreter.allocate_tensors()
        self._batch = batch

    def set_inputs(self, values: Sequence[NDArray[Any]]) -> None:
        """Copy the inputs into the interpreter."""
        try:
            for index, value in zip(self._input_indices, values, strict=True):
                self._interpreter.set_tensor(index, value)
        except ValueError as error:
            raise ArtifactError(f"{self.path}: LiteRT does not take the input: {reason(error)}") from error

    def invoke(self) -> None:
        """Run the interpreter once."""
        try:
            self._interpreter.invoke()
        except (ValueError, RuntimeError) as error:
            raise ArtifactError(f"{self.path}: LiteRT cannot run it: {reason(error)}") from error

    @property
    def native_invoke(self) -> Callable[[], object]:
        """The interpreter's own call."""
        invoke: Callable[[], object] = self._interpreter.invoke
        return invoke

    def read_outputs(self) -> list[NDArray[Any]]:
        """Copy the outputs out of the interpreter."""
        return [self._interpreter.get_tensor(index) for index in self._output_indices]

    def tensors(self, rows: int) -> list[Traced]:
        """Return the tensors with a row for each of the ``rows`` images that were run last, the output last."""
        traced = {}
        for details in self._interpreter.get_tensor_details():
            shape, index = details["shape"], details["index"]
            if len(shape) and shape[0] == rows and index not in self._input_indices:
                traced[index] = Traced(
                    details["name"], dequantize(self._interpreter.get_tensor(index), _spec(details, None))
                )
        output = traced.pop(self._output_indices[0])
        return [*traced.values(), output]

    def written(self) -> dict[int, TensorSpec]:
        """Return the tensors that the operators give out, in order, by their places in the file.

        Of an interpreter without XNNPACK, which puts tensors of its own behind those of the file.
        """
        tensors = {details["index"]: details for details in self._interpreter.get_tensor_details()}
        operators = self._interpreter._get_ops_details()
        return {int(index): _spec(tensors[index], None) for one in operators for index in one["outputs"]}

    def nodes(self) -> list[Node]:
        """Return the operators of an interpreter that keeps its tensors."""
        every = self._interpreter._get_ops_details()  # LiteRT has no public list of its operators
        taken = {int(tensor) for node in every if node["op_name"] == _DELEGATE for tensor in node["outputs"]}
        tensors = {details["index"]: details for details in self._interpreter.get_tensor_details()}
        operators = [node for node in every if node["op_name"] != _DELEGATE]
        kernels = {output: XNNPACK if output in taken else BUILTIN for output in tensors}
        return tflite.nodes(operators, tensors, self._input_indices, kernels)

    def _signature_names(self) -> dict[int, str]:
        """Return the names of tensors, by index, in the model's only signature, if it has one."""
        signatures = self._interpreter.get_signature_list()
        if len(signatures) != 1:
            return {}
        runner = self._interpreter.get_signature_runner(next(iter(signatures)))
        tensors = {**runner.get_input_details(), **runner.get_output_details()}
        return {details["index"]: name for name, details in tensors.items()}


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


def open_session(path: Path, *, threads: int = 1, kernels: str | None = None) -> Session:
    """Load a ``.tflite`` file."""
    return LiteRTSession(path, threads=threads, kernels=kernels or KERNELS[0])


def trace(path: Path, values: NDArray[np.float32]) -> list[Traced]:
    """Run real values through an artifact whose every tensor is kept; return those that have a row for each image."""
    session = LiteRTSession(path, threads=1, kernels=KERNELS[0], keep_tensors=True)
    session.run(values)
    return session.tensors(len(values))


def nodes(path: Path, *, batch: int = 1, shapes: Shapes | None = None) -> list[Node]:
    """Return the operators, and whether XNNPACK or the built-in kernels execute them.

    Where every tensor is kept, each operator that XNNPACK takes is a delegate of its own with that operator's outputs.
    """
    session = LiteRTSession(path, threads=1, kernels=KERNELS[0], keep_tensors=True)
    session.fix(shapes or {})
    session.resize(batch)
    with as_artifact_error(path, "LiteRT cannot list its operators"):
        listed = session.nodes()
    return [one.without_sizes for one in listed] if session.has_free_sizes else listed


def prefixes(path: Path, *, threads: int = 1) -> list[Session]:
    """Return the artifact cut off after none of its operators, after the first, … after all."""
    cut = tflite.prefixes(extras.load(FORMAT), path.read_bytes())
    return [LiteRTSession(path, threads=threads, kernels=KERNELS[0], content=content) for content in cut]


def write_probe(path: Path, *, arithmetic: str, rows: int, width: int) -> bool:
    """Write an artifact of one dense layer."""
    write_bytes(path, tflite.dense(extras.load(FORMAT), arithmetic=arithmetic, rows=rows, width=width))
    return True


def portability(path: Path) -> Portability:
    """Return nothing: its 8-bit kernels add in int32 on every CPU."""
    return Portability()


def devices() -> tuple[str, ...]:
    """Return the CPU: sessions are opened on nothing else."""
    return ("CPU",)
