"""Classify rows of data with the model beside this file: python3 classify.py FILE

Without FILE it classifies those of golden.npz: does this machine answer like the one that exported?"""

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np


def read(path: Path, how: dict[str, Any]) -> np.ndarray:
    """Return the images of a .npy file, (N, height, width, channels) uint8."""
    return np.asarray(np.load(path))


def predict(model: Path, values: np.ndarray) -> np.ndarray:
    """Return the outputs, (N, …) float32, for values of the input, (N, …) float32."""
    raise NotImplementedError


if __name__ == "__main__":
    folder, given = Path(__file__).parent, sys.argv[1:]
    manifest, golden = json.loads((folder / "manifest.json").read_bytes()), np.load(folder / "golden.npz")
    artifact, classes = manifest["artifacts"][0]["path"], manifest["data"]["classes"]
    known, how = golden["images"], manifest["data"].get("reading", {})
    rows = read(Path(given[0]), how) if given else known
    if rows.dtype != known.dtype or rows.shape[1:] != known.shape[1:]:
        sys.exit(f"{given[0]}: {rows.dtype} {rows.shape}; allowed: {known.dtype} (N, *{known.shape[1:]})")
    convention = manifest.get("convention", {})  # what pixels of 0 and 255 become, and what the outputs are
    layout, kind = convention.get("layout"), convention.get("output")
    low, high = (np.array(convention.get(*end), np.float32) for end in (("low", 0), ("high", 1)))
    values = rows if layout == "values" else rows * (high - low) / np.float32(255) + low
    outputs = predict(folder / artifact, values[..., 0] if layout == "NHW" else values)
    if outputs.shape[1] == 1:  # one number tells two classes apart
        outputs = np.hstack([1 - outputs if kind == "sigmoid" else 0 * outputs, outputs])
    if kind == "logits":
        outputs = np.exp(outputs - outputs.max(axis=1, keepdims=True))
        outputs /= outputs.sum(axis=1, keepdims=True)
    if given:
        print(*(f"{ascii(classes[row.argmax()])[1:-1]} {row.max():.4f}" for row in outputs), sep="\n")
    else:
        same = sum(outputs.argmax(axis=1) == golden[f"recorded/{artifact}"].argmax(axis=1))
        print(f"{artifact}: {same} of {len(known)} predictions are those of the machine that exported it")
        sys.exit(int(same != len(known)))
