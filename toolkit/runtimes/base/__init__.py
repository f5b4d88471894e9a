"""What every runtime offers: a Session that runs one artifact."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from math import prod
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from toolkit.convention import Convention, fits, from_tensor, layout_of
from toolkit.errors import ArtifactError, ToolkitError
from toolkit.files.memory import check_memory
from toolkit.manifest import TensorSpec
from toolkit.portability import Portability
from toolkit.runtimes.base.graph import Node, Shapes
from toolkit.text import lines

# Rows of one call of `predict`: few, so that the activations stay small on a Pi. With 50 the shipped CNN in ONNX took
# 10 MB more, and up to a fifth less time.
PREDICT_BATCH = 10
# Characters of what a runtime says of an error.
_MOST_SAID = 500


class Predictor(ABC):
    """What answers for rows of data: a session here, or one in another process.

    remark: how the artifact was opened, if that is not as the runtime would by itself: a sentence.
    """

    path: Path
    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]
    remark: str | None = None
    _convention: Convention | None = None

    @property
    def input(self) -> TensorSpec:
        """The only input of a classifier; ArtifactError if there are several."""
        return _single(self.inputs, path=self.path, what="input")

    @property
    def output(self) -> TensorSpec:
        """The only output of a classifier; ArtifactError if there are several."""
        return _single(self.outputs, path=self.path, what="output")

    @property
    def declared(self) -> Convention | None:
        """What the file itself says of its input; None if it could be anything."""
        return from_tensor(self.input)

    @property
    def convention(self) -> Convention:
        """What input and output mean: what was set, else what the file itself says, else pixels from 0 to 1."""
        return self._convention or replace(self.declared or Convention(), layout=layout_of(self.input.shape))

    @convention.setter
    def convention(self, convention: Convention | None) -> None:
        self._convention = convention

    @abstractmethod
    def predict(self, rows: NDArray[Any]) -> NDArray[np.float32]:
        """Return the outputs for rows of data, as ``convention`` has them: (N, …) float32.

        rows: pixels (N, H, W, C) uint8, or values (N, …) float32. Raises ArtifactError if the input takes others.
        """


class Opener(Protocol):
    """What loads an artifact on the runtime of its suffix."""

    def __call__(self, path: Path, *, threads: int = 1, kernels: str | None = None) -> Predictor:
        """Return a predictor. threads: 0 leaves the choice to the runtime. kernels: one of the runtime's KERNELS."""


class Session(Predictor):
    """One loaded artifact. Not for several threads at once. Members implement what is abstract."""

    def fix(self, shapes: Mapping[str, Sequence[int | None]]) -> None:
        """Give inputs, by name, the sizes that are free; called before anything is run.

        Names of no input are those of another artifact's; so are shapes that an artifact without free sizes cannot
        have. Raises ArtifactError if none of the names is one of this artifact's, or an input cannot have a shape.
        """
        if not self.has_free_sizes:
            shapes = {spec.name: shape for spec in self.inputs if fits(spec.shape, shape := shapes.get(spec.name, ()))}
        elif shapes and not shapes.keys() & {spec.name for spec in self.inputs}:
            named = " or ".join(f"'{name}'" for name in shapes)
            raise ArtifactError(f"{self.path}: has no input {named}; it takes {_taken(self.inputs)}")
        self.inputs = tuple(_fixed(spec, shapes.get(spec.name, spec.shape), path=self.path) for spec in self.inputs)
        check_size(self.inputs, path=self.path)

    @property
    def has_free_sizes(self) -> bool:
        """Whether an input leaves more sizes free than the batch."""
        return any(None in spec.shape[1:] for spec in self.inputs)

    @abstractmethod
    def resize(self, batch: int) -> None:
        """Make every input whose first size is free (batch, …); the others stay as they are."""

    @abstractmethod
    def set_inputs(self, values: Sequence[NDArray[Any]]) -> None:
        """Hand over the inputs, in the order of ``inputs``: (batch, …) in the artifact's own dtypes."""

    @abstractmethod
    def invoke(self) -> None:
        """Run the artifact once, and return when it is done."""

    @property
    def native_invoke(self) -> Callable[[], object]:
        """The runtime's own call behind ``invoke``: to time the inference without a Python frame around it."""
        return self.invoke

    @abstractmethod
    def read_outputs(self) -> list[NDArray[Any]]:
        """Return copies of the outputs, in the order of ``outputs``, in the artifact's own dtypes."""

    def encode(self, values: NDArray[np.float32]) -> NDArray[Any]:
        """Bring real values to the input's dtype: quantized if the input is, rounded if it is of integers."""
        dtype = np.dtype(self.input.dtype)
        if dtype.kind not in "iu":
            return values.astype(dtype, copy=False)
        scale, zero_point = (1.0, 0) if self.input.scale is None else (self.input.scale, self.input.zero_point or 0)
        limits = np.iinfo(dtype)
        steps = np.round(values / np.float32(scale)) + zero_point
        quantized: NDArray[Any] = np.clip(steps, limits.min, limits.max).astype(dtype)
        return quantized

    def decode(self, values: NDArray[Any]) -> NDArray[np.float32]:
        """Bring output values to real numbers."""
        return dequantize(values, self.output)

    def predict(self, rows: NDArray[Any]) -> NDArray[np.float32]:
        """Return the outputs for rows of data, computed in batches: (N, …) float32.

        Raises ArtifactError if the input takes others.
        """
        check_rows(rows, self)
        if self.has_free_sizes:
            self.fix({self.input.name: (self.input.shape[0], *self.convention.values(rows[:1]).shape[1:])})
        fixed = self.input.shape[0]
        step = fixed or PREDICT_BATCH
        count = len(rows)
        if fixed and count % fixed:  # the last batch is filled up with copies, whose outputs are dropped
            rows = np.concatenate([rows, np.repeat(rows[-1:], fixed - count % fixed, axis=0)])
        outputs = [self.predict_once(rows[start : start + step]) for start in range(0, len(rows), step)]
        return np.concatenate(outputs)[:count]

    def predict_once(self, rows: NDArray[Any]) -> NDArray[np.float32]:
        """The same, computed in one batch."""
        return self.convention.answers(self.run(self.convention.values(rows)))

    def run(self, values: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the outputs for what the input takes, real values in its layout, as they are."""
        self.resize(len(values))
        self.set_inputs([self.encode(values)])
        self.invoke()
        return np.atleast_1d(self.decode(self.read_outputs()[0]))  # a lone number has no rows to be joined


@dataclass(frozen=True)
class Traced:
    """A tensor inside an artifact, by its name there: real values, (N, …) float32."""

    name: str
    values: NDArray[np.float32]


class RuntimeModule(Protocol):
    """What a module in this folder has. Importing it loads no framework.

    QUANTIZATIONS: of the artifacts that it runs, None if it runs all. KERNELS: the sets of kernels that it can run an
    artifact with, the one that it takes by itself first.
    """

    SUFFIXES: tuple[str, ...]
    PACKAGE: str
    DISTRIBUTIONS: tuple[str, ...]
    QUANTIZATIONS: tuple[str, ...] | None
    KERNELS: tuple[str, ...]

    def open_session(self, path: Path, *, threads: int = 1, kernels: str | None = None) -> Session:
        """Load an artifact; ArtifactError if it cannot be, MissingExtraError if the runtime is not installed."""

    def trace(self, path: Path, values: NDArray[np.float32]) -> list[Traced]:
        """Run real values (N, …) through an artifact and return its tensors in order, the output last."""

    def nodes(self, path: Path, *, batch: int = 1, shapes: Shapes | None = None) -> list[Node]:
        """Return the operators of an artifact in order, as this machine executes them. batch: where it is not fixed.

        shapes: as for ``fix``. Where other sizes than the batch stay free, what depends on them is not known.
        """

    def prefixes(self, path: Path, *, threads: int = 1) -> list[Session]:
        """Return the artifact cut off after none of its ``nodes``, after the first, … after all: ready to time.

        Empty if the runtime has no operators that could be cut.
        """

    def write_probe(self, path: Path, *, arithmetic: str, rows: int, width: int) -> bool:
        """Write an artifact of one dense layer, (rows, width) by (width, width): what the runtime does at best.

        False if the runtime has no such arithmetic of its own to probe.
        """

    def portability(self, path: Path) -> Portability:
        """Return what an artifact may compute differently on another kind of CPU, judged by its weights alone."""

    def devices(self) -> tuple[str, ...]:
        """Return what it computes on here: the CPU, and accelerators that it sees and uses."""


def dequantize(values: NDArray[Any], spec: TensorSpec) -> NDArray[np.float32]:
    """Bring the values of a tensor to real numbers."""
    real = values.astype(np.float32)
    if spec.scale is None or spec.zero_point is None:
        return real
    return (real - np.float32(spec.zero_point)) * np.float32(spec.scale)


@contextmanager
def as_artifact_error(path: Path, what: str) -> Iterator[None]:
    """Raise ArtifactError for whatever a runtime raises in a block: of a damaged file that is of any kind.

    what: "Keras cannot load it".
    """
    try:
        yield
    except ToolkitError:
        raise
    except Exception as error:
        raise ArtifactError(f"{path}: {what}: {_own(error) or reason(error)}") from error


def _own(error: BaseException | None) -> ToolkitError | None:
    """Return the error of ours that a runtime has wrapped in its own, if there is one."""
    while error is not None and not isinstance(error, ToolkitError):
        error = error.__context__
    return error


def reason(error: Exception) -> str:
    """Return what a runtime says of an error, in one line: its beginning, where it goes on to show whole arrays."""
    said = "; ".join(lines(str(error))) or type(error).__name__
    return said if len(said) <= _MOST_SAID else f"{said[:_MOST_SAID]} …"


def batch_of(inputs: Sequence[TensorSpec], batch: int, *, path: Path) -> int:
    """Return how many images an inference takes if ``batch`` are asked for: that many if a first size is free.

    If none is free, an inference takes its inputs as they are, and counts as one: the first size may be the steps of a
    sequence as well. ArtifactError if another number is asked for.
    """
    first = {spec.shape[0] for spec in inputs if spec.shape}
    if None in first:
        return batch
    if batch not in {1, *first}:
        sizes = ", ".join(str(spec.shape) for spec in inputs)
        raise ArtifactError(f"{path}: its input is fixed to {sizes}; a batch of {batch} was asked for")
    return 1


def check_rows(rows: NDArray[Any], by: Predictor) -> None:
    """Raise ArtifactError if rows of data, (N, …), are not what the input takes; a size that it leaves free is any."""
    dtype, shape = by.convention.dtype, by.convention.row_shape(by.input.shape)
    if dtype != rows.dtype or not fits(shape, rows.shape[1:]):
        kind = "images" if dtype == np.uint8 else "values"
        other = "" if dtype == rows.dtype else f"{rows.dtype} "
        raise ArtifactError(f"{by.path}: takes {kind} {shape}, the data are {other}{rows.shape[1:]}")


def _fixed(spec: TensorSpec, shape: Sequence[int | None], *, path: Path) -> TensorSpec:
    if not fits(spec.shape, shape):
        raise ArtifactError(f"{path}: takes {_taken([spec])}, which cannot be {tuple(shape)}")
    return replace(spec, shape=tuple(shape))


def _taken(specs: Iterable[TensorSpec]) -> str:
    return ", ".join(f"{spec.name} {spec.shape}" for spec in specs)


def _single(tensors: tuple[TensorSpec, ...], *, path: Path, what: str) -> TensorSpec:
    """Return the only one of the inputs or outputs; ArtifactError if there are several."""
    if len(tensors) != 1:
        names = ", ".join(tensor.name for tensor in tensors)
        cut = "; onnx.utils.extract_model writes a file of those that are named" if path.suffix == ".onnx" else ""
        raise ArtifactError(f"{path}: has {len(tensors)} {what}s ({names}); a classifier has one{cut}")
    return tensors[0]


def check_size(inputs: Sequence[TensorSpec], *, path: Path) -> None:
    """Raise ArtifactError if one image of an artifact is more than this machine can hold."""
    for spec in inputs:
        size = prod(size or 1 for size in spec.shape) * np.dtype(spec.dtype).itemsize
        check_memory(size, what=f"{path}: its input {spec.name} {spec.shape}", error=ArtifactError)
