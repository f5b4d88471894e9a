"""Classify images, (N, height, width, channels) uint8, with the model beside this file: python3 classify.py IMAGES.npy

Without IMAGES.npy it classifies those of golden.npz: does this machine answer like the one that exported?"""

import json
import sys
from pathlib import Path

import numpy as np


def predict(model: Path, images: np.ndarray) -> np.ndarray:
    """Return the probabilities, (N, classes) float32, of images (N, height, width, channels) uint8."""
    raise NotImplementedError


if __name__ == "__main__":
    folder, given = Path(__file__).parent, sys.argv[1:]
    manifest, golden = json.loads((folder / "manifest.json").read_bytes()), np.load(folder / "golden.npz")
    artifact, classes = manifest["artifacts"][0]["path"], manifest["data"]["classes"]
    images, shape = np.load(given[0]) if given else golden["images"], golden["images"].shape[1:]
    if images.dtype != np.uint8 or images.shape[1:] != shape:
        sys.exit(f"{given[0]}: {images.dtype} {images.shape}; allowed: uint8 (N, *{shape})")
    probabilities = predict(folder / artifact, images)
    if given:
        print(*(f"{ascii(classes[row.argmax()])[1:-1]} {row.max():.4f}" for row in probabilities), sep="\n")
    else:
        same = sum(probabilities.argmax(axis=1) == golden[f"recorded/{artifact}"].argmax(axis=1))
        print(f"{artifact}: {same} of {len(images)} predictions are those of the machine that exported it")
        sys.exit(int(same != len(images)))
