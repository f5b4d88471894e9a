"""The windows of a recording in a CSV file."""

from pathlib import Path
from typing import Any

import numpy as np

from toolkit.bundle.rows.table import columns_of


def read(path: Path, how: dict[str, Any]) -> np.ndarray:
    """Return the windows of a .npy file, or of a recording in a .csv file, (N, steps, channels) float32."""
    if path.suffix == ".npy":
        return np.asarray(np.load(path), np.float32)
    rows, window = columns_of(path, how["columns"]), how["window"]
    return np.array([rows[start : start + window] for start in range(0, len(rows) - window + 1, how["stride"])])


FUNCTIONS = (columns_of, read)
