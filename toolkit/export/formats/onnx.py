"""ONNX: float32 through tf2onnx, int8 through ONNX Runtime's static quantizer."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from toolkit import extras
from toolkit.export import onnx_graph, onnx_ranges
from toolkit.export.formats.base import INPUT_NAME, OUTPUT_NAME, SEVEN_BITS, Prepared, Request, belongs_to

SUFFIX = ".onnx"
MADE_FROM = None
QUANTIZATIONS = ("float32", "int8")
# The newest opset whose every operator tf2onnx 1.17 writes.
OPSET = 18


def convert(prepared: Prepared, request: Request, path: Path) -> dict[str, Any]:
    """Write the artifact to ``path`` and return what the manifest should say about how it was made.

    int8 is QDQ: activations uint8, weights int8 per channel in 7 bits, input and output float32. Weights of 8 bits
    saturate on some CPUs (toolkit/runtimes/onnxruntime/saturation.py), and signed activations do not mend that. On
    Arm, which never saturates, signed ones took 5 % fewer instructions on a Cortex-A76 and 8 % more on a Cortex-A72.
    """
    is_int8 = request.quantization == "int8"
    source = prepared.rounding if is_int8 and prepared.rounding else prepared
    float32 = prepared.work / ("float32.onnx" if source is prepared else "rounding.onnx")
    ranges = {} if float32.exists() else _convert_float32(source, float32, is_rounding=source is not prepared)
    if not is_int8:
        path.write_bytes(float32.read_bytes())
        return {"opset": OPSET, "converter": f"tf2onnx {extras.load('tf2onnx').__version__}"}
    normalizations = prepared.normalizations(request.convention)
    _quantize(float32, path, request, ranges, prepared.work, in_float=normalizations)
    details = {"opset": OPSET, "converter": f"onnxruntime {extras.load('onnxruntime').__version__}"}
    details |= {"activations": "uint8", "weights": SEVEN_BITS, "layout": "QDQ"}
    return {**details, **({"float32": list(normalizations)} if normalizations else {})}


def _convert_float32(prepared: Prepared, path: Path, *, is_rounding: bool) -> onnx_ranges.Ranges:
    """Write the model in float. If it rounds, that is left out, and the ranges that it rounds by are returned."""
    frozen = _frozen(prepared)
    (given,), (answer,) = frozen.inputs, frozen.outputs
    model, _ = extras.load("tf2onnx").convert.from_graph_def(
        frozen.graph.as_graph_def(add_shapes=True),
        input_names=[given.name],
        output_names=[answer.name],
        tensors_to_rename={given.name: INPUT_NAME, answer.name: OUTPUT_NAME},
        opset=OPSET,
        custom_op_handlers=onnx_graph.HANDLERS,
    )
    onnx_graph.check_operators(model, prepared.layers, opset=OPSET)
    ranges = onnx_ranges.take(model) if is_rounding else {}
    _check_and_save(onnx_graph.simplify(model), path)
    return ranges


def _frozen(prepared: Prepared) -> Any:
    """Return the model as a TensorFlow function whose only input is the image: what layers keep are constants in it."""
    constants = extras.load("tensorflow.python.framework.convert_to_constants")
    function = prepared.function.get_concrete_function()
    # Loops stay loops, which tf2onnx knows as recurrent layers.
    return constants.convert_variables_to_constants_v2(function, lower_control_flow=False, aggressive_inlining=True)


def _quantize(
    float32: Path, path: Path, request: Request, ranges: onnx_ranges.Ranges, work: Path, *, in_float: Sequence[str]
) -> None:
    onnx = extras.load("onnx")
    extras.load("onnxruntime")
    from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static
    from onnxruntime.quantization.shape_inference import quant_pre_process

    class Reader(CalibrationDataReader):  # type: ignore[misc]
        def __init__(self, images: NDArray[np.float32]) -> None:
            self._images: Iterator[NDArray[np.float32]] = iter(images)

        def get_next(self) -> dict[str, NDArray[np.float32]] | None:
            image = next(self._images, None)
            return None if image is None else {INPUT_NAME: image[None]}

    fused = work / "fused.onnx"
    quant_pre_process(str(float32), str(fused), skip_symbolic_shape=True)
    model, calibrated = onnx.load(fused), work / "ranges.json"
    if ranges:
        onnx_ranges.write(onnx_ranges.spread(model, ranges), calibrated)
    quantize_static(
        str(fused),
        str(path),
        None if ranges else Reader(request.calibration),
        calibration_cache_path=calibrated if ranges else None,
        quant_format=QuantFormat.QDQ,
        per_channel=True,
        reduce_range=True,
        activation_type=QuantType.QUInt8,
        weight_type=QuantType.QInt8,
        # Probabilities in steps of 1/256 would lose what tells near classes apart, and save nothing; one scale for
        # columns as unlike as 0.1 and 1,000 would leave nothing of the former.
        nodes_to_exclude=[n.name for n in model.graph.node if n.op_type == "Softmax" or belongs_to(in_float, n.name)],
        # Weights that a training has rounded are on their steps.
        extra_options={"QDQDisableWeightAdjustForInt32Bias": bool(ranges)},
    )
    _check_and_save(onnx_graph.name_batch(onnx.load(path)), path)


def _check_and_save(model: Any, path: Path) -> None:
    onnx = extras.load("onnx")
    onnx.checker.check_model(model, full_check=True)
    onnx.save(model, path)
