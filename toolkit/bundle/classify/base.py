"""Classify rows of data with the model beside this file: python3 classify.py FILE

Without FILE it classifies those of golden.npz: does this machine answer like the one that exported?"""

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np


def unlike(images: np.ndarray, outputs: np.ndarray, file: Path) -> np.ndarray:
    """Return how unlike the class of its output each image is."""
    known, labels, (height, width) = np.load(file), outputs.argmax(axis=1), images.shape[1:3]
    sums = np.add.reduceat(images, known["rows"], axis=1, dtype=np.float32)
    sums = np.add.reduceat(sums, known["columns"], axis=2)
    grey = sums.reshape(len(images), -1) * np.float32(
        len(known["rows"]) * len(known["columns"]) / (255 * height * width)
    )
    away, parts = grey - known["means"][labels], known["components"].astype(np.float32)
    along = np.array([one @ parts[label] for one, label in zip(away, labels, strict=True)])
    distances = (away**2).sum(axis=1) - (along**2).sum(axis=1)
    return np.asarray(distances / np.maximum(outputs.max(axis=1), 1e-3) ** 0.5)


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
        rule = manifest.get("novelty")  # a score above its threshold: the image is of none of the classes
        none = unlike(rows, outputs, folder / rule["path"]) > rule["threshold"] if rule else [False] * len(rows)
        for row, is_none in zip(outputs, none, strict=True):
            print(f"{'none of these, else ' if is_none else ''}{ascii(classes[row.argmax()])[1:-1]} {row.max():.4f}")
    else:
        same = sum(outputs.argmax(axis=1) == golden[f"recorded/{artifact}"].argmax(axis=1))
        print(f"{artifact}: {same} of {len(known)} predictions are those of the machine that exported it")
        sys.exit(int(same != len(known)))
