"""With ONNX Runtime."""

from pathlib import Path

import numpy as np

# The line behind which other options stand.
_OPTIONS = "    options.intra_op_num_threads = 1\n"


def predict(model: Path, values: np.ndarray) -> np.ndarray:
    """Return the outputs, (N, …) float32, for values of the input, (N, …) float32."""
    import os

    os.environ["ORT_DISABLE_TELEMETRY"] = "1"  # read when it is imported
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    return np.concatenate([session.run(None, {name: value})[0] for value in values[:, None]])


def with_setting(source: str, line: str) -> str:
    """Return the source of ``predict`` with the line of a setting; it has no IO binding that could be left out."""
    return source.replace(_OPTIONS, f"{_OPTIONS}    {line}\n") if line.startswith("options.") else source
