"""Models: of each format a very small one, opened and run in a worker, and analysed here where that is done here."""

import atexit
import json
import xml.etree.ElementTree
from contextlib import ExitStack, contextmanager
from functools import cache

import numpy as np
import pytest

from tests.fuzz import changes, made
from tests.fuzz.target import Target
from toolkit import extras, runtimes
from toolkit.errors import ArtifactError
from toolkit.export import saved_model
from toolkit.report.graph import Graph, draw, standalone
from toolkit.runtimes.keras.loading import load_model
from toolkit.worker.session import contained

SIZE = 2
CLASSES = 3
_WORKERS = ExitStack()
atexit.register(_WORKERS.close)


def _network():
    """Return a network of one layer."""
    keras = extras.load("keras")
    layers = [keras.layers.Flatten(), keras.layers.Dense(CLASSES, activation="softmax")]
    return keras.Sequential([keras.layers.Input((SIZE, SIZE, 1)), *layers])


def _saved(name):
    """Return what saves a network as a Keras file of that name."""

    def prepare(folder):
        _network().save(folder / name)
        return [folder / name]

    return prepare


def _tflite(folder):
    """Convert a network, and the same in int8."""
    tf = extras.load("tensorflow")
    converter = tf.lite.TFLiteConverter.from_keras_model(_network())
    (folder / "float32.tflite").write_bytes(converter.convert())
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    rows = made.pixels(10, 1, SIZE, SIZE, 1).astype(np.float32) / 255
    converter.representative_dataset = lambda: ([row] for row in rows)
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    (folder / "int8.tflite").write_bytes(converter.convert())
    return sorted(folder.glob("*.tflite"))


def _onnx(folder):
    """Write a graph of one quantized layer, as exports have it."""
    onnx = extras.load("onnx")
    make, kinds, arrays = onnx.helper, onnx.TensorProto, onnx.numpy_helper
    weights = made.pixels(SIZE * SIZE, CLASSES).view(np.int8)
    constants = {"rows": np.int64([-1, SIZE * SIZE]), "weights": weights}
    constants |= {"scale": np.full(CLASSES, 0.01, np.float32), "zero": np.zeros(CLASSES, np.int8)}
    nodes = [
        make.make_node("Reshape", ["image", "rows"], ["flat"]),
        make.make_node("DequantizeLinear", ["weights", "scale", "zero"], ["kernel"], axis=1),
        make.make_node("MatMul", ["flat", "kernel"], ["logits"]),
        make.make_node("Softmax", ["logits"], ["result"]),
    ]
    ends = (
        [make.make_tensor_value_info("image", kinds.FLOAT, ["N", SIZE, SIZE, 1])],
        [make.make_tensor_value_info("result", kinds.FLOAT, ["N", CLASSES])],
    )
    graph = make.make_graph(
        nodes, "small", *ends, [arrays.from_array(value, name) for name, value in constants.items()]
    )
    model = make.make_model(graph, opset_imports=[make.make_opsetid("", 13)], ir_version=8)
    (folder / "small.onnx").write_bytes(model.SerializeToString())
    return [folder / "small.onnx"]


@cache
def _workers():
    """Return workers that all inputs share: one is started anew only where it was ended."""
    return _WORKERS.enter_context(contained())


def _run(folder):
    """Open, run and list the operators in a worker; analyse the weights here, as ``verify`` does."""
    workers = _workers()
    failed = None
    for path in sorted(folder.iterdir()):
        try:
            session = workers.open_session(path)
            size = [length or 1 for length in session.input.shape[1:]]
            if np.prod(size) < 1 << 20:
                session.predict(made.pixels(3, *size))
            workers.nodes(path)
            runtimes.get(runtimes.for_file(path)).portability(path)
        except ArtifactError as error:
            failed = error
    if failed is not None:
        raise failed


def _run_as_microcontroller(folder):
    with runtimes.choosing("tflm"):
        _run(folder)


def _load(name):
    return lambda folder: load_model(folder / name)


def _each_format(folder):
    return [*_tflite(folder), *_onnx(folder), *_saved("small.keras")(folder)]


def _show(folder):
    """Show and draw each file, as ``toolkit show`` does."""
    for path in sorted(folder.iterdir()):
        with _patient():
            nodes = tuple(_workers().nodes(path))
        found = Graph(path, runtimes.for_file(path), path.stat().st_size, nodes)
        xml.etree.ElementTree.fromstring(standalone(draw(found)))
        json.dumps([found.to_json(), found.rows], allow_nan=False)


def _of_tensorflow(folder):
    """Save a network as a SavedModel; nothing reads its fingerprint."""
    with extras.streams_to(folder / "log"):
        _network().export(folder / "saved", verbose=False)
    return sorted(path for path in (folder / "saved").rglob("*") if path.is_file() and path.stem != "fingerprint")


def _look(folder):
    saved_model.digest(folder / "saved")
    saved_model._check(folder / "saved")


def _freeze(folder):
    with _patient(XDG_CACHE_HOME=str(folder / "cache")):
        saved_model.to_keras(folder / "saved")


@contextmanager
def _patient(**variables):
    """Let a worker import TensorFlow: in more seconds than a child gives its workers."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {"TOOLKIT_WORKER_SECONDS": "120", **variables}.items():
            patch.setenv(name, value)
        yield


TARGETS = {
    "TFLite": Target(600, _tflite, _run, changes.in_place),
    "TFLite, in TFLM": Target(300, _tflite, _run_as_microcontroller, changes.in_place),
    "ONNX": Target(600, _onnx, _run, changes.in_place),
    "Keras": Target(150, _saved("small.keras"), _load("small.keras"), changes.as_zip),
    "HDF5": Target(150, _saved("small.h5"), _load("small.h5")),
    "SavedModel": Target(200, _of_tensorflow, _look, changes.in_place),
    "SavedModel, frozen": Target(12, _of_tensorflow, _freeze, changes.in_place),
    "show": Target(200, _each_format, _show, changes.by_content),
}
