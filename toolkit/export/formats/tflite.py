"""TFLite (LiteRT) through TensorFlow's converter."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from toolkit import extras
from toolkit.export.formats.base import SEVEN_BITS, Prepared, Request, belongs_to
from toolkit.runtimes.keras.fake_quantization import GREATEST

SUFFIX = ".tflite"
MADE_FROM = None
QUANTIZATIONS = ("float32", "float16", "dynamic", "int8")
# The greatest step of a weight that the converter makes.
CONVERTED = 127


def convert(prepared: Prepared, request: Request, path: Path) -> dict[str, Any]:
    """Write the artifact to ``path`` and return what the manifest should say about how it was made.

    int8 is full-integer: weights, activations, input and output. Values come in as float32 and are normalized in
    it: one scale for columns as unlike as 0.1 and 1,000 would leave nothing of the former. The ranges are those of the
    calibration images, or those that the model was trained with. The converter's errors are passed on.
    """
    tf = extras.load("tensorflow")
    source = prepared.rounding if prepared.rounding and request.quantization == "int8" else prepared
    converter = tf.lite.TFLiteConverter.from_saved_model(str(source.saved_model))
    if request.quantization != "float32":
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
    if request.quantization == "float16":
        converter.target_spec.supported_types = [tf.float16]
    converter.exclude_conversion_metadata = True  # 200 bytes of what the manifest says
    details = {"converter": f"tensorflow {tf.__version__}"}
    if source is prepared.rounding:
        layers = prepared.normalizations(request.convention)
        converter.inference_input_type = tf.float32 if layers else tf.int8
        converter.inference_output_type = tf.int8
        path.write_bytes(_on_trained_steps(converter.convert()))
        return {**details, "weights": SEVEN_BITS, **({"float32": list(layers)} if layers else {})}
    if request.quantization == "int8":
        converter.representative_dataset = lambda: ([row[None]] for row in request.calibration)
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
        if layers := prepared.normalizations(request.convention):
            path.write_bytes(_int8_behind(layers, converter, tf.int8))
            return {**details, "float32": list(layers)}
        converter.inference_input_type = converter.inference_output_type = tf.int8
    path.write_bytes(converter.convert())
    return details


def _int8_behind(layers: Sequence[str], converter: Any, int8: Any) -> bytes:
    """Return an int8 model in which these layers, and what comes in, are float32."""
    converter._experimental_calibrate_only = True  # as tf.lite.experimental.QuantizationDebugger does it
    calibrated = converter.convert()
    model = extras.load("tensorflow.lite.tools.flatbuffer_utils").read_model_from_bytearray(bytearray(calibrated))
    graph = model.subgraphs[0]
    written = [graph.tensors[tensor].name.decode() for operator in graph.operators for tensor in operator.outputs]
    kept = [name for name in written if belongs_to(layers, name)]
    quantize = extras.load("tensorflow.lite.python.convert").mlir_quantize
    content: bytes = quantize(calibrated, output_data_type=int8, denylisted_nodes=kept)
    return content


def _on_trained_steps(content: bytes) -> bytes:
    """Return an int8 model whose weights have the steps that they were trained in.

    The converter gives each channel 127 steps to its greatest weight, and cannot take fake quantization per channel
    for dense layers. Training gave it fewer (``GREATEST``), so what the converter made tells each weight's own step.
    """
    utils = extras.load("tensorflow.lite.tools.flatbuffer_utils")
    model = utils.read_model_from_bytearray(bytearray(content))
    graph, wider = model.subgraphs[0], CONVERTED / GREATEST
    weighted = [operator.inputs for operator in graph.operators if _has_weights(model, operator)]
    places = [(places[1], np.int8) for places in weighted] + [(places[2], np.int32) for places in weighted]
    for place, dtype in places:
        if place < 0:  # there is no bias
            continue
        tensor = graph.tensors[place]
        tensor.quantization.scale = np.asarray(tensor.quantization.scale, np.float32) * np.float32(wider)
        buffer = model.buffers[tensor.buffer]
        values = np.round(np.frombuffer(bytes(buffer.data), dtype).astype(np.float64) / wider).astype(dtype)
        buffer.data = np.frombuffer(values.tobytes(), np.uint8)
    return bytes(utils.convert_object_to_bytearray(model))


def _has_weights(model: Any, operator: Any) -> bool:
    builtin = extras.load("tensorflow.lite.python.schema_py_generated").BuiltinOperator
    kinds = (builtin.CONV_2D, builtin.DEPTHWISE_CONV_2D, builtin.FULLY_CONNECTED)
    return model.operatorCodes[operator.opcodeIndex].builtinCode in kinds
