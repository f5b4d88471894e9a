"""Keras itself, on TensorFlow: the reference. TensorFlow is imported when a model is loaded."""

import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from toolkit import extras
from toolkit.errors import ArtifactError
from toolkit.manifest import TensorSpec
from toolkit.runtimes.base import Session, require_file

SUFFIXES = (".keras",)
PACKAGE = "tensorflow"
DISTRIBUTIONS = ("keras", "tensorflow")


def load_model(path: Path) -> Any:
    """Load a ``.keras`` file for inference; ArtifactError where it is missing, damaged or not a model."""
    keras = extras.load("keras")
    require_file(path)
    if not zipfile.is_zipfile(path):
        raise ArtifactError(f"{path}: not a whole .keras file (truncated, or of another kind)")
    try:
        return keras.saving.load_model(path, compile=False)
    except Exception as error:  # Keras raises whatever the damaged part happens to cause
        raise ArtifactError(f"{path}: Keras cannot load it: {error}") from error


class KerasSession(Session):
    """A Keras model as one compiled function."""

    def __init__(self, path: Path, *, threads: int) -> None:
        self._tf = tf = extras.load("tensorflow")
        self.path = path
        if threads:  # once per process, before TensorFlow runs anything
            tf.config.threading.set_intra_op_parallelism_threads(threads)
            tf.config.threading.set_inter_op_parallelism_threads(threads)
        self._model = load_model(path)
        shape, outputs = self._model.input_shape, self._model.output_shape
        if not isinstance(shape, tuple) or not isinstance(outputs, tuple):
            raise ArtifactError(f"{path}: a classifier of images has one input and one output")
        self.inputs = (TensorSpec(name="image", shape=shape, dtype="float32"),)
        self.outputs = (TensorSpec(name="probabilities", shape=outputs, dtype="float32"),)
        signature = tf.TensorSpec(shape, tf.float32)
        self._function = tf.function(lambda image: self._model(image, training=False), input_signature=[signature])
        self._values: Any = None
        self._result: Any = None

    def resize(self, batch: int) -> None:
        """Nothing to do: the compiled function takes any batch."""

    def set_inputs(self, values: Sequence[NDArray[Any]]) -> None:
        """Make the input a tensor."""
        self._values = self._tf.constant(values[0])

    def invoke(self) -> None:
        """Run the compiled function once."""
        self._result = self._function(self._values)

    def read_outputs(self) -> list[NDArray[Any]]:
        """Copy the output."""
        return [np.array(self._result)]


def open_session(path: Path, *, threads: int = 1) -> Session:
    """Load a ``.keras`` file."""
    return KerasSession(path, threads=threads)
