"""With ONNX Runtime."""

from pathlib import Path
from typing import Any

import numpy as np


def predict(model: Path, images: Any) -> Any:
    """Return the probabilities, (N, classes) float32, of images (N, height, width, channels) uint8."""
    import os

    os.environ["ORT_DISABLE_TELEMETRY"] = "1"  # read when it is imported
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])
    (given,) = session.get_inputs()
    scaled = images[:, None] / np.float32(255)
    return np.concatenate([session.run(None, {given.name: image})[0] for image in scaled])
