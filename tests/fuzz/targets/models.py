"""Models: of each format a very small one, opened and run in a worker, and analysed here where that is done here."""

import atexit
from contextlib import ExitStack
from functools import cache

import numpy as np

from tests.fuzz import changes, made
from tests.fuzz.target import Target
from toolkit import extras, runtimes
from toolkit.errors import ArtifactError
from toolkit.runtimes.keras.loading import load_model
from toolkit.worker.session import contained

SIZE = 2
CLASSES = 3
_WORKERS = ExitStack()
atexit.register(_WORKERS.close)


def _tflite(folder):
    """Convert a network of one layer, and the same in int8."""
    tf = extras.load("tensorflow")
    layers = [tf.keras.layers.Flatten(), tf.keras.layers.Dense(CLASSES, activation="softmax")]
    model = tf.keras.Sequential([tf.keras.layers.Input((SIZE, SIZE, 1)), *layers])
    converter = tf.lite.TFLiteConverter.from_keras_model(model)
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


def _keras(folder):
    tf = extras.load("tensorflow")
    layers = [tf.keras.layers.Flatten(), tf.keras.layers.Dense(CLASSES)]
    tf.keras.Sequential([tf.keras.layers.Input((SIZE, SIZE, 1)), *layers]).save(folder / "small.keras")
    return [folder / "small.keras"]


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


def _load(folder):
    load_model(folder / "small.keras")


TARGETS = {
    "TFLite": Target(600, _tflite, _run, changes.in_place),
    "ONNX": Target(600, _onnx, _run, changes.in_place),
    "Keras": Target(150, _keras, _load, changes.as_zip),
}
