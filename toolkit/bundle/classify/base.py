"""Classify images, (N, height, width, channels) uint8, with the model beside this file: python3 classify.py IMAGES.npy

Without IMAGES.npy it classifies those of golden.npz: does this machine answer like the one that exported?"""

import json
import sys
from pathlib import Path

import numpy as np


def predict(model: Path, values: np.ndarray) -> np.ndarray:
    """Return the outputs, (N, …) float32, for values of the input, (N, height, width, channels) float32."""
    raise NotImplementedError


if __name__ == "__main__":
    folder, given = Path(__file__).parent, sys.argv[1:]
    manifest, golden = json.loads((folder / "manifest.json").read_bytes()), np.load(folder / "golden.npz")
    artifact, classes = manifest["artifacts"][0]["path"], manifest["data"]["classes"]
    images, shape = np.load(given[0]) if given else golden["images"], golden["images"].shape[1:]
    if images.dtype != np.uint8 or images.shape[1:] != shape:
        sys.exit(f"{given[0]}: {images.dtype} {images.shape}; allowed: uint8 (N, *{shape})")
    convention = manifest.get("convention", {})  # what pixels of 0 and 255 become, and what the outputs are
    low, high = (np.array(convention.get(*end), np.float32) for end in (("low", 0), ("high", 1)))
    values, kind = images * (high - low) / np.float32(255) + low, convention.get("output")
    outputs = predict(folder / artifact, values[..., 0] if convention.get("layout") == "NHW" else values)
    if outputs.shape[1] == 1:  # one number tells two classes apart
        outputs = np.hstack([1 - outputs if kind == "sigmoid" else 0 * outputs, outputs])
    if kind == "logits":
        outputs = np.exp(outputs - outputs.max(axis=1, keepdims=True))
        outputs /= outputs.sum(axis=1, keepdims=True)
    if given:
        print(*(f"{ascii(classes[row.argmax()])[1:-1]} {row.max():.4f}" for row in outputs), sep="\n")
    else:
        same = sum(outputs.argmax(axis=1) == golden[f"recorded/{artifact}"].argmax(axis=1))
        print(f"{artifact}: {same} of {len(images)} predictions are those of the machine that exported it")
        sys.exit(int(same != len(images)))
