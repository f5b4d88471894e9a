"""LiteRT for Microcontrollers (TFLM): the kernels that microcontrollers run, in plain C++, on this CPU.

It answers as a microcontroller does. Its times are none of a microcontroller, whose kernels are optimized for it.
TFLM reads a file without checking it, so LiteRT, which verifies files, opens it first, and tells what its tensors are.
"""

import os
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from toolkit import extras, units
from toolkit.errors import ArtifactError
from toolkit.manifest import TensorSpec
from toolkit.runtimes import litert
from toolkit.runtimes.base import Session, Traced, dequantize, reason, tflite
from toolkit.runtimes.base.graph import Node, Shapes
from toolkit.runtimes.litert import LiteRTSession
from toolkit.text import lines

SUFFIXES = (".tflite",)
PACKAGE = "tflite_micro"
DISTRIBUTIONS = ("tflite-micro",)
# It unpacks no float16, and multiplies no float32 by int8.
QUANTIZATIONS = ("float32", "int8")
KERNELS = ("TFLM reference",)
# More than any microcontroller has; of what is not used, the system gives no memory.
ARENA_BYTES = 1 << 26
# As LiteRT: it runs the same files, and its kernels are the same C++ on every CPU.
write_probe, portability, devices = litert.write_probe, litert.portability, litert.devices
# A line of what RecordingMicroAllocator::PrintAllocations writes (tflite-micro, recording_micro_allocator.cc).
_ARENA = re.compile(r"Arena allocation total (\d+) bytes")


class TFLMSession(Session):
    """A TFLM interpreter: one image at a time, as the file has it.

    arena_bytes: of memory that it takes here besides the file; None of one that keeps its tensors.
    """

    def __init__(self, path: Path, *, content: bytes | None = None, keep_tensors: bool = False) -> None:
        """Load a file. content: what to load in its place."""
        self.path = path
        described = LiteRTSession(path, threads=1, kernels=litert.REFERENCE, content=content)
        self.inputs, self.outputs = (
            tuple(replace(spec, shape=tuple(size or 1 for size in spec.shape)) for spec in specs)
            for specs in (described.inputs, described.outputs)
        )
        self._written: dict[int, TensorSpec] = described.written()
        runtime = extras.load(PACKAGE).runtime
        kinds = runtime.InterpreterConfig
        with self._explained("load"):
            self._interpreter = runtime.Interpreter.from_bytes(
                path.read_bytes() if content is None else content,
                arena_size=ARENA_BYTES,
                intrepreter_config=kinds.kPreserveAllTensors if keep_tensors else kinds.kAllocationRecording,
            )
        self.arena_bytes = None if keep_tensors else self._measured()
        if self.arena_bytes is not None:
            self.remark = (
                f"TFLM's reference kernels on this CPU: times of no microcontroller; {units.size(self.arena_bytes)} of "
                "arena here, where a pointer has 8 bytes"
            )

    def resize(self, batch: int) -> None:
        """Do nothing: sizes are as the file has them."""

    def set_inputs(self, values: Sequence[NDArray[Any]]) -> None:
        """Copy the inputs into the interpreter."""
        try:
            for place, value in enumerate(values):
                self._interpreter.set_input(value, place)
        except ValueError as error:
            raise ArtifactError(f"{self.path}: TFLM does not take the input: {reason(error)}") from error

    def invoke(self) -> None:
        """Run the interpreter once."""
        with self._explained("run"):
            self._interpreter.invoke()

    @property
    def native_invoke(self) -> Callable[[], object]:
        """The interpreter's own call."""
        invoke: Callable[[], object] = self._interpreter.invoke
        return invoke

    def read_outputs(self) -> list[NDArray[Any]]:
        """Copy the outputs out of the interpreter."""
        return [self._interpreter.get_output(place) for place in range(len(self.outputs))]

    def tensors(self) -> list[Traced]:
        """Return what the operators gave out last, in order, of an interpreter that keeps its tensors."""
        read = self._interpreter.GetTensor
        return [
            Traced(spec.name, dequantize(read(index, 0)["tensor_data"], spec)) for index, spec in self._written.items()
        ]

    def _measured(self) -> int:
        with _heard() as said:
            self._interpreter.print_allocations()
        return next(int(arena[1]) for line in said if (arena := _ARENA.search(line)))

    @contextmanager
    def _explained(self, what: str) -> Iterator[None]:
        """Raise ArtifactError for what TFLM raises in a block, with what it printed, which alone tells why."""
        said: list[str] = []
        try:
            with _heard() as said:
                yield
        except (RuntimeError, ValueError) as error:
            why = "; ".join(said) or reason(error)
            raise ArtifactError(f"{self.path}: TFLM, which takes int8 and float32, cannot {what} it: {why}") from error


@contextmanager
def _heard() -> Iterator[list[str]]:
    """Keep what this process prints in the block from where it goes. Yields a list that gets the lines in the end."""
    said: list[str] = []
    with os.fdopen(os.memfd_create("tflm"), "rb") as told:  # a file in memory: a kill leaves nothing behind
        try:
            with extras.streams_to(Path(f"/proc/self/fd/{told.fileno()}")):
                yield said
        finally:
            said += lines(told.read().decode(errors="replace"))


def open_session(path: Path, *, threads: int = 1, kernels: str | None = None) -> Session:
    """Load a ``.tflite`` file."""
    if threads > 1:
        raise ArtifactError(f"{path}: TFLM computes in one thread; {threads} were asked for")
    return TFLMSession(path)


def trace(path: Path, values: NDArray[np.float32]) -> list[Traced]:
    """Run real values through an artifact, one row after the other; return what its operators gave out."""
    session = TFLMSession(path, keep_tensors=True)
    rows = []
    for row in range(len(values)):
        session.run(values[row : row + 1])
        rows.append(session.tensors())
    return [
        Traced(same[0].name, np.concatenate([tensor.values for tensor in same])) for same in zip(*rows, strict=True)
    ]


def nodes(path: Path, *, batch: int = 1, shapes: Shapes | None = None) -> list[Node]:
    """Return the operators: those of the file, of one image."""
    return [replace(node, operator=replace(node.operator, kernels=KERNELS[0])) for node in litert.nodes(path)]


def prefixes(path: Path, *, threads: int = 1) -> list[Session]:
    """Return the artifact cut off after none of its operators, after the first, … after all."""
    cut = tflite.prefixes(extras.load(litert.FORMAT), path.read_bytes())
    return [TFLMSession(path, content=content) for content in cut]
