"""Classify images with the model in this folder. Needs numpy and the runtime that ``predict`` imports, nothing else.

python3 classify.py IMAGES.npy   a line for each image; (N, height, width, channels) uint8, as the model was trained on
python3 classify.py              the images of golden.npz: does this machine answer like the one that exported?
"""

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np


def predict(model: Path, images: Any) -> Any:
    """Return the probabilities, (N, classes) float32, of images (N, height, width, channels) uint8."""
    raise NotImplementedError


if __name__ == "__main__":
    folder = Path(__file__).parent
    manifest, golden = json.loads((folder / "manifest.json").read_text()), np.load(folder / "golden.npz")
    artifact, classes = manifest["artifacts"][0]["path"], manifest["data"]["classes"]
    images = np.load(sys.argv[1]) if sys.argv[1:] else golden["images"]
    if images.dtype != np.uint8 or images.shape[1:] != golden["images"].shape[1:]:
        sys.exit(f"{sys.argv[1]}: {images.dtype} {images.shape}; allowed: uint8 (N, *{golden['images'].shape[1:]})")
    probabilities = predict(folder / artifact, images)
    if sys.argv[1:]:
        print(*(f"{classes[row.argmax()]} {row.max():.4f}" for row in probabilities), sep="\n")
        sys.exit()
    same = int((probabilities.argmax(axis=1) == golden[f"recorded/{artifact}"].argmax(axis=1)).sum())
    print(f"{artifact}: {same} of {len(images)} predictions are those of the machine that exported it")
    sys.exit(same != len(images))
