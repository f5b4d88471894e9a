"""TFLite (LiteRT) through TensorFlow's converter."""

from collections.abc import Sequence
from copy import copy
from pathlib import Path
from typing import Any

import numpy as np

from toolkit import extras
from toolkit.export.formats.base import MIXED, SEVEN_BITS, Prepared, Request, belongs_to
from toolkit.export.tracing import replaced
from toolkit.runtimes.keras.fake_quantization import GREATEST

SUFFIX = ".tflite"
MADE_FROM = None
QUANTIZATIONS = ("float32", "float16", "dynamic", "int8", MIXED)
# The greatest step of a weight that the converter makes.
CONVERTED = 127
# The first version of DEQUANTIZE that unpacks float16 (tensorflow/compiler/mlir/lite/tools/versioning/op_version.cc).
_UNPACKS_FLOAT16 = 3


def convert(prepared: Prepared, request: Request, path: Path) -> dict[str, Any]:
    """Write the artifact to ``path`` and return what the manifest should say about how it was made.

    int8 is full-integer: weights, activations, input and output. Values that are normalized come in as float32, and are
    normalized in it: one scale for columns as unlike as 0.1 and 1,000 would leave nothing of the former. Numbers that
    are looked up, as by an Embedding, come in as float32 too. The ranges are those of the calibration images, or those
    that the model was trained with. What is MIXED takes and gives float32, and keeps the weights of its layers in float
    as float16. The converter's errors are passed on.
    """
    source = prepared.rounding if prepared.rounding and request.quantization == "int8" else prepared
    # Each conversion would load it twice, which takes nearly half of its time.
    with replaced(extras.load("tensorflow.lite.python.lite"), "_load", lambda *_: source.loaded):
        return _convert(prepared, source, request, path)


def _convert(prepared: Prepared, source: Prepared, request: Request, path: Path) -> dict[str, Any]:
    tf = extras.load("tensorflow")
    # With more signatures than one, the converter would change what it loads.
    converter = tf.lite.TFLiteConverter.from_saved_model(str(source.saved_model), ["serving_default"])
    if request.quantization != "float32":
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
    if request.quantization == "float16":
        converter.target_spec.supported_types = [tf.float16]
    converter.exclude_conversion_metadata = True  # 200 bytes of what the manifest says
    layers = prepared.normalizations(request.convention)
    in_float = {"float32": list(layers)} if layers else {}
    details = {"converter": f"tensorflow {tf.__version__}"}
    if source is prepared.rounding:
        converter.inference_input_type = tf.float32 if prepared.takes_float(request.convention) else tf.int8
        converter.inference_output_type = tf.int8
        path.write_bytes(_on_trained_steps(converter.convert()))
        return {**details, "weights": SEVEN_BITS, **in_float}
    if request.quantization == MIXED:
        content = _partly_int8(prepared, request, converter, (*layers, *request.in_float), gives=tf.float32)
        path.write_bytes(_in_float16(content))
        return {**details, **in_float, "float16": list(request.in_float)}
    if request.quantization == "int8":
        if prepared.takes_float(request.convention):
            path.write_bytes(_partly_int8(prepared, request, converter, layers, gives=tf.int8))
            return {**details, **in_float}
        _calibrate(converter, prepared, request)
        converter.inference_input_type = converter.inference_output_type = tf.int8
    path.write_bytes(converter.convert())
    return details


def _calibrate(converter: Any, prepared: Prepared, request: Request) -> None:
    """Let a converter take ranges from the calibration images.

    The steps of a recurrent layer have ranges of their own. One that is the same in all rows, such as the upper edge of
    MNIST, would have none: other rows would be clipped there, and XNNPACK refuses the file. So all rows are seen a
    second time, with their steps in any order. The second axis has the steps: of rows (N, steps, values), and
    of images that the model reshapes to such rows. Convolved images have ranges of their own, which others would widen.
    """
    tf = extras.load("tensorflow")
    rows, rng = request.calibration, np.random.default_rng(0)
    has_steps = rows.ndim == 3 or (rows.ndim == 4 and not any("Conv" in kind for kind in prepared.layers.values()))
    is_recurrent = prepared.steps is not prepared.function
    if is_recurrent and has_steps and any((step == step[:1]).all() for step in rows.swapaxes(0, 1)):
        rows = np.concatenate([rows, *(rng.permutation(row)[np.newaxis] for row in rows)])
    converter.representative_dataset = lambda: ([row[None]] for row in rows)
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]


def _partly_int8(prepared: Prepared, request: Request, converter: Any, layers: Sequence[str], *, gives: Any) -> bytes:
    """Return an int8 model in which these layers, and what comes in, are float32. gives: the type that it answers in.

    It is made as tf.lite.experimental.QuantizationDebugger does it. The ranges, which take most of the time, are kept.
    """
    kept = prepared.work / "calibrated.tflite"
    if not kept.exists():
        _calibrate(converter, prepared, request)
        converter._experimental_calibrate_only = True
        kept.write_bytes(converter.convert())
    calibrated = kept.read_bytes()
    model = extras.load("tensorflow.lite.tools.flatbuffer_utils").read_model_from_bytearray(bytearray(calibrated))
    graph = model.subgraphs[0]
    written = [tensor for operator in graph.operators for tensor in operator.outputs]
    names = {tensor: graph.tensors[tensor].name.decode() for tensor in written}
    in_float = [
        name
        for tensor, name in names.items()
        if belongs_to(layers, name) or (tensor in graph.outputs and prepared.answer in layers)
    ]
    quantize = extras.load("tensorflow.lite.python.convert").mlir_quantize
    content: bytes = quantize(calibrated, output_data_type=gives, denylisted_nodes=in_float)
    return content


def _in_float16(content: bytes) -> bytes:
    """Return a model whose float weights are float16, which is unpacked once: as the converter writes float16 files."""
    utils, schema = (
        extras.load(f"tensorflow.lite.{name}") for name in ("tools.flatbuffer_utils", "python.schema_py_generated")
    )
    model = utils.read_model_from_bytearray(bytearray(content))
    graph = model.subgraphs[0]
    weights = dict.fromkeys(operator.inputs[1] for operator in graph.operators if _has_weights(model, operator))
    code = schema.OperatorCodeT()
    code.builtinCode = code.deprecatedBuiltinCode = schema.BuiltinOperator.DEQUANTIZE
    code.version = _UNPACKS_FLOAT16
    model.operatorCodes.append(code)
    unpacking = []
    for place in [place for place in weights if graph.tensors[place].type == schema.TensorType.FLOAT32]:
        float32 = graph.tensors[place]
        values = np.frombuffer(bytes(model.buffers[float32.buffer].data), np.float32)
        packed = copy(float32)
        packed.name, packed.type = float32.name + b"/float16", schema.TensorType.FLOAT16
        packed.buffer = len(model.buffers)
        buffer = schema.BufferT()
        buffer.data = np.frombuffer(values.astype(np.float16).tobytes(), np.uint8)
        model.buffers.append(buffer)
        before, float32.buffer = float32.buffer, 0
        if all(tensor.buffer != before for tensor in graph.tensors):
            model.buffers[before].data = None
        operator = schema.OperatorT()
        operator.opcodeIndex = len(model.operatorCodes) - 1
        operator.inputs, operator.outputs = [len(graph.tensors)], [place]
        graph.tensors.append(packed)
        unpacking.append(operator)
    graph.operators = [*unpacking, *graph.operators]
    return bytes(utils.convert_object_to_bytearray(model))


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
