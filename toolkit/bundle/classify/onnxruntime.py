"""With ONNX Runtime."""

from pathlib import Path

import numpy as np


def predict(model: Path, images: np.ndarray) -> np.ndarray:
    """Return the probabilities, (N, classes) float32, of images (N, height, width, channels) uint8."""
    import os

    os.environ["ORT_DISABLE_TELEMETRY"] = "1"  # read when it is imported
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])
    name, values = session.get_inputs()[0].name, images[:, None] / np.float32(255)
    return np.concatenate([session.run(None, {name: value})[0] for value in values])
