"""With LiteRT."""

from pathlib import Path
from typing import Any

import numpy as np


def predict(model: Path, images: Any) -> Any:
    """Return the probabilities, (N, classes) float32, of images (N, height, width, channels) uint8."""
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(str(model), num_threads=1)
    interpreter.allocate_tensors()
    (given,), (returned,) = interpreter.get_input_details(), interpreter.get_output_details()
    (scale, zero_point), values = given["quantization"], images / np.float32(255)
    if scale:  # real = scale * (value - zero_point)
        values = np.clip(np.round(values / np.float32(scale)) + zero_point, -128, 127)
    outputs = []
    for value in values[:, None].astype(given["dtype"]):
        interpreter.set_tensor(given["index"], value)
        interpreter.invoke()
        outputs.append(interpreter.get_tensor(returned["index"]))
    scale, zero_point = returned["quantization"]
    return (np.concatenate(outputs).astype(np.float32) - zero_point) * np.float32(scale or 1)
