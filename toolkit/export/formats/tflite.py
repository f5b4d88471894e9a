"""TFLite (LiteRT) through TensorFlow's converter."""

from pathlib import Path
from typing import Any

from toolkit import extras
from toolkit.export.formats.base import Prepared, Request

SUFFIX = ".tflite"
MADE_FROM = None
QUANTIZATIONS = ("float32", "float16", "dynamic", "int8")


def convert(prepared: Prepared, request: Request, path: Path) -> dict[str, Any]:
    """Write the artifact to ``path`` and return what the manifest should say about how it was made.

    int8 is full-integer: weights, activations, input and output. The converter's errors are passed on.
    """
    tf = extras.load("tensorflow")
    converter = tf.lite.TFLiteConverter.from_saved_model(str(prepared.saved_model))
    if request.quantization != "float32":
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
    if request.quantization == "float16":
        converter.target_spec.supported_types = [tf.float16]
    if request.quantization == "int8":
        converter.representative_dataset = lambda: ([image[None]] for image in request.calibration)
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
        converter.inference_input_type = converter.inference_output_type = tf.int8
    path.write_bytes(converter.convert())
    return {"converter": f"tensorflow {tf.__version__}"}
