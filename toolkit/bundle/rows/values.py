"""Arrays of rows, as they are."""

import sys
from pathlib import Path
from typing import Any

import numpy as np


def read(path: Path, how: dict[str, Any]) -> np.ndarray:
    """Return the rows of a .npy file, (N, …) float32."""
    if path.suffix != ".npy":
        sys.exit(f"{path}: allowed: rows in an array, a .npy file")
    return np.asarray(np.load(path), np.float32)


FUNCTIONS = (read,)
