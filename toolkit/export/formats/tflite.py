"""TFLite (LiteRT) through TensorFlow's converter."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from toolkit import extras
from toolkit.export.formats.base import Prepared, Request, belongs_to

SUFFIX = ".tflite"
MADE_FROM = None
QUANTIZATIONS = ("float32", "float16", "dynamic", "int8")


def convert(prepared: Prepared, request: Request, path: Path) -> dict[str, Any]:
    """Write the artifact to ``path`` and return what the manifest should say about how it was made.

    int8 is full-integer: weights, activations, input and output. Values come in as float32 and are normalized in
    it: one scale for columns as unlike as 0.1 and 1,000 would leave nothing of the former. The
    converter's errors are passed on.
    """
    tf = extras.load("tensorflow")
    converter = tf.lite.TFLiteConverter.from_saved_model(str(prepared.saved_model))
    if request.quantization != "float32":
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
    if request.quantization == "float16":
        converter.target_spec.supported_types = [tf.float16]
    converter.exclude_conversion_metadata = True  # 200 bytes of what the manifest says
    details = {"converter": f"tensorflow {tf.__version__}"}
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
