"""With LiteRT."""

from pathlib import Path

import numpy as np

# What a setting of the interpreter takes the place of.
_IMPORT, _INTERPRETER = "import Interpreter\n", "Interpreter(str(model), num_threads=1)"


def predict(model: Path, values: np.ndarray) -> np.ndarray:
    """Return the outputs, (N, …) float32, for values of the input, (N, …) float32."""
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(str(model), num_threads=1)
    interpreter.allocate_tensors()
    (given,), (returned,) = interpreter.get_input_details(), interpreter.get_output_details()
    (scale, zero), (scale_out, zero_out) = given["quantization"], returned["quantization"]
    if scale:  # real = scale * (value - zero)
        values = np.clip(np.round(values / np.float32(scale)) + zero, -128, 127)
    outputs = []
    for value in values[:, None].astype(given["dtype"]):
        interpreter.set_tensor(given["index"], value)
        interpreter.invoke()
        outputs.append(interpreter.get_tensor(returned["index"]))
    return np.asarray((np.concatenate(outputs).astype(np.float32) - zero_out) * np.float32(scale_out or 1))


def with_setting(source: str, line: str) -> str:
    """Return the source of ``predict`` with the line of a setting."""
    if "OpResolverType" in line:
        source = source.replace(_IMPORT, "import Interpreter, OpResolverType\n")
    return source.replace(_INTERPRETER, line.replace("(path,", "(str(model),"))
