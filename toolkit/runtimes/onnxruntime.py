"""ONNX Runtime on the CPU."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from toolkit import extras
from toolkit.errors import ArtifactError
from toolkit.manifest import TensorSpec
from toolkit.runtimes.base import Session, check_batch, require_file

SUFFIXES = (".onnx",)
PACKAGE = "onnxruntime"
DISTRIBUTIONS = ("onnxruntime",)

_DTYPES = {
    "tensor(float)": "float32",
    "tensor(float16)": "float16",
    "tensor(uint8)": "uint8",
    "tensor(int8)": "int8",
    "tensor(double)": "float64",
    "tensor(bool)": "bool",
    "tensor(int32)": "int32",
    "tensor(int64)": "int64",
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
        self.inputs = tuple(self._spec(tensor) for tensor in self._session.get_inputs())
        self.outputs = tuple(self._spec(tensor) for tensor in self._session.get_outputs())
        self._binding = self._session.io_binding()

    def resize(self, batch: int) -> None:
        """Only check: the inputs that are bound next have their own batch."""
        check_batch(self.inputs, batch, path=self.path)

    def set_inputs(self, values: Sequence[NDArray[Any]]) -> None:
        """Bind the inputs."""
        for spec, value in zip(self.inputs, values, strict=True):
            self._binding.bind_cpu_input(spec.name, value)
        for spec in self.outputs:
            self._binding.bind_output(spec.name)

    def invoke(self) -> None:
        """Run the session once."""
        try:
            self._session.run_with_iobinding(self._binding)
        except Exception as error:  # as above
            raise ArtifactError(f"{self.path}: ONNX Runtime cannot run it: {error}") from error

    def read_outputs(self) -> list[NDArray[Any]]:
        """Copy the outputs."""
        outputs: list[NDArray[Any]] = self._binding.copy_outputs_to_cpu()
        return outputs

    def _spec(self, tensor: Any) -> TensorSpec:
        if tensor.type not in _DTYPES:
            raise ArtifactError(f"{self.path}: '{tensor.name}' is a {tensor.type}; allowed: {', '.join(_DTYPES)}")
        shape = tuple(size if isinstance(size, int) else None for size in tensor.shape)
        return TensorSpec(name=tensor.name, shape=shape, dtype=np.dtype(_DTYPES[tensor.type]).name)


def open_session(path: Path, *, threads: int = 1) -> Session:
    """Load an ``.onnx`` file."""
    return OnnxSession(path, threads=threads)
