"""ONNX Runtime on the CPU."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from toolkit import extras
from toolkit.errors import ArtifactError
from toolkit.manifest import TensorSpec
from toolkit.runtimes.base import Session, require_file, single

SUFFIXES = (".onnx",)
PACKAGE = "onnxruntime"
DISTRIBUTIONS = ("onnxruntime",)

_DTYPES = {
    "tensor(float)": "float32",
    "tensor(float16)": "float16",
    "tensor(uint8)": "uint8",
    "tensor(int8)": "int8",
}
# onnxruntime's log levels: 3 = errors.
_ERRORS_ONLY = 3


class OnnxSession(Session):
    """An ONNX Runtime session. Input and output are bound once, so that ``invoke`` is the inference alone."""

    def __init__(self, path: Path, *, threads: int) -> None:
        ort = extras.load(PACKAGE)
        require_file(path)
        self.path = path
        options = ort.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.log_severity_level = _ERRORS_ONLY
        try:
            self._session = ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        except Exception as error:  # its exceptions are classes of the native module, with no base but Exception
            raise ArtifactError(f"{path}: ONNX Runtime cannot load it: {error}") from error
        self.input = single([self._spec(t) for t in self._session.get_inputs()], path=path, what="input")
        self.output = single([self._spec(t) for t in self._session.get_outputs()], path=path, what="output")
        self._ort = ort
        self._binding = self._session.io_binding()

    def resize(self, batch: int) -> None:
        """Nothing to do: the input that is bound next has its own batch."""
        if self.input.shape[0] not in (None, batch):
            raise ArtifactError(f"{self.path}: its batch is fixed to {self.input.shape[0]}, {batch} was asked for")

    def set_input(self, values: NDArray[Any]) -> None:
        """Bind the input."""
        self._binding.bind_cpu_input(self.input.name, values)
        self._binding.bind_output(self.output.name)

    def invoke(self) -> None:
        """Run the session once."""
        try:
            self._session.run_with_iobinding(self._binding)
        except Exception as error:  # as above
            raise ArtifactError(f"{self.path}: ONNX Runtime cannot run it: {error}") from error

    def read_output(self) -> NDArray[Any]:
        """Copy the output."""
        output: NDArray[Any] = self._binding.copy_outputs_to_cpu()[0]
        return output

    def _spec(self, tensor: Any) -> TensorSpec:
        if tensor.type not in _DTYPES:
            raise ArtifactError(f"{self.path}: '{tensor.name}' is a {tensor.type}; allowed: {', '.join(_DTYPES)}")
        shape = tuple(size if isinstance(size, int) else None for size in tensor.shape)
        return TensorSpec(name=tensor.name, shape=shape, dtype=np.dtype(_DTYPES[tensor.type]).name)


def open_session(path: Path, *, threads: int = 1) -> Session:
    """Load an ``.onnx`` file."""
    return OnnxSession(path, threads=threads)
