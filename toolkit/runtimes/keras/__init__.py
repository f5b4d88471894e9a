"""Keras itself, on TensorFlow: the reference. TensorFlow is imported when a model is loaded."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from toolkit import extras
from toolkit.convention import STANDARD, Convention
from toolkit.errors import ArtifactError
from toolkit.manifest import TensorSpec
from toolkit.portability import Portability
from toolkit.runtimes.base import Session, Traced, as_artifact_error, check_size
from toolkit.runtimes.base.graph import Node, Shapes
from toolkit.runtimes.keras import graph
from toolkit.runtimes.keras.layers import Layers
from toolkit.runtimes.keras.loading import load_model

SUFFIXES = (".keras",)
PACKAGE = "tensorflow"
DISTRIBUTIONS = ("keras", "tensorflow")
QUANTIZATIONS = None
KERNELS = ("TensorFlow",)
# Those that keep the range of the pixels in inference.
_KEEPING = ("InputLayer", "Random", "Gaussian", "Resizing", "CenterCrop")
# How far from a width of 2 a first layer may leave a range: half of the way, in factors, from one range to the next.
_FARTHEST = 16
_ROUNDING = 1e-3


class KerasSession(Session):
    """A Keras model as one compiled function."""

    def __init__(self, path: Path, model: Any) -> None:
        """Compile the model of a file."""
        self._tf = tf = extras.load("tensorflow")
        self.path, self._model = path, model
        shape, outputs = self._model.input_shape, self._model.output_shape
        if not isinstance(shape, tuple) or not isinstance(outputs, tuple):
            raise ArtifactError(f"{path}: a classifier of images has one input and one output")
        self.inputs = (TensorSpec(name="image", shape=shape, dtype="float32"),)
        self.outputs = (TensorSpec(name="probabilities", shape=outputs, dtype="float32"),)
        check_size(self.inputs, path=path)
        signature = tf.TensorSpec(shape, tf.float32)
        # Layers need no AutoGraph, which would write a temporary file that a worker leaves when it is ended.
        self._function = tf.function(
            lambda image: self._model(image, training=False), input_signature=[signature], autograph=False
        )
        self._values: Any = None
        self._result: Any = None

    @property
    def declared(self) -> Convention | None:
        """What its first layers say of the input."""
        return declared(self._model)

    def resize(self, batch: int) -> None:
        """Nothing to do: the compiled function takes any batch."""

    def set_inputs(self, values: Sequence[NDArray[Any]]) -> None:
        """Make the input a tensor."""
        self._values = self._tf.constant(values[0])

    def invoke(self) -> None:
        """Run the compiled function once."""
        with as_artifact_error(self.path, "Keras cannot run it"):
            self._result = self._function(self._values)

    def read_outputs(self) -> list[NDArray[Any]]:
        """Copy the output."""
        return [np.array(self._result)]


def declared(model: Any) -> Convention | None:
    """Return the range that follows from a model's first layer: an input of bytes, or a layer that scales the pixels.

    A network behind such a layer is made for values of about -1 to 1. The range is the standard one that the layer
    brings nearest to that: about as wide, and with 0 in it.
    """
    if model.inputs and str(model.inputs[0].dtype).startswith(("int", "uint")):
        return STANDARD[1]
    scaling = _scaling(model)
    if scaling is None:
        return None
    scale, offset = scaling
    distances: dict[Convention, float] = {}
    for known in STANDARD:
        ends = np.sort(np.stack([known.low[0] * scale + offset, known.high[0] * scale + offset]), axis=0)
        width = float((ends[1] - ends[0]).max())
        if width > 0 and (ends[0] <= _ROUNDING).all() and (ends[1] >= -_ROUNDING).all():
            distances[known] = abs(np.log(width / 2))
    best = min(distances, key=lambda known: distances[known], default=None)
    return best if best is not None and distances[best] <= np.log(_FARTHEST) else None


def _scaling(model: Any) -> tuple[NDArray[Any], NDArray[Any]] | None:
    """Return (scale, offset), each a value or one a channel, of a first layer that scales; None for another layer."""
    first = _first(model)
    if first.__class__.__name__ == "Rescaling":
        return np.asarray(first.scale, np.float64), np.asarray(first.offset, np.float64)
    if first.__class__.__name__ == "Normalization":
        deviation = np.sqrt(np.maximum(np.asarray(first.variance, np.float64), np.finfo(np.float32).tiny))
        return 1 / deviation, -np.asarray(first.mean, np.float64) / deviation
    return None


def _first(model: Any) -> Any:
    """Return the first layer that may change the range of the pixels, also of a model in the model; None without."""
    for layer in model.layers:
        first = _first(layer) if getattr(layer, "layers", None) else layer
        if first is not None and not first.__class__.__name__.startswith(_KEEPING):
            return first
    return None


def open_session(path: Path, *, threads: int = 1, kernels: str | None = None) -> Session:
    """Load a ``.keras`` file."""
    tf = extras.load("tensorflow")
    if threads:  # once per process, before TensorFlow runs anything
        tf.config.threading.set_intra_op_parallelism_threads(threads)
        tf.config.threading.set_inter_op_parallelism_threads(threads)
    return KerasSession(path, load_model(path))


def trace(path: Path, values: NDArray[np.float32]) -> list[Traced]:
    """Run real values through a model and return the output of each layer that computes something."""
    return [Traced(name, output) for name, output in Layers(path).together(values).items()]


def nodes(path: Path, *, batch: int = 1, shapes: Shapes | None = None) -> list[Node]:
    """Return the layers. TensorFlow compiles them into something else: what computes each is not known.

    Sizes that are free stay so, whatever ``shapes`` says: a model that is called for others has other layers.
    """
    model = load_model(path)
    return graph.nodes(extras.load("keras").Model(model.inputs, model.outputs), kernels=KERNELS[0], batch=batch)


def prefixes(path: Path, *, threads: int = 1) -> list[Session]:
    """Return nothing: the compiled function has no operators that could be cut off."""
    return []


def write_probe(path: Path, *, arithmetic: str, rows: int, width: int) -> bool:
    """Write nothing: the reference is here to be compared with, not to be made fast."""
    return False


def portability(path: Path) -> Portability:
    """Return nothing: it computes in float32."""
    return Portability()


def devices() -> tuple[str, ...]:
    """Return the CPU, and the GPUs that TensorFlow sees."""
    tf = extras.load("tensorflow")
    return ("CPU", *(f"GPU ({gpu_name(tf, gpu)})" for gpu in tf.config.list_physical_devices("GPU")))


def gpu_name(tf: Any, gpu: Any) -> str:
    """Return what a GPU of TensorFlow is called by its maker, if the driver tells."""
    return str(tf.config.experimental.get_device_details(gpu).get("device_name", gpu.name))
