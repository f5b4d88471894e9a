"""Classify rows of data with the model beside this file: python3 classify.py FILE

Without FILE it classifies those of golden.npz: does this machine answer like the one that exported?"""

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np


def unlike(image: np.ndarray, label: int, known: dict[str, np.ndarray]) -> float:
    """Return how unlike the images of a class an image is, (height, width, channels)."""
    down, right = np.gradient(image.astype(np.float32) / 255, axis=(0, 1))
    turn = np.arctan2(down, right)[..., None] * np.float32(4 / np.pi)  # edges of eight directions
    edges = np.hypot(down, right)[..., None] * np.maximum(1 - abs((turn - np.arange(8) + 4) % 8 - 4), 0)
    rows, columns = known["rows"], known["columns"]
    sums = np.add.reduceat(np.add.reduceat(edges, rows, axis=0), columns, axis=1)
    mean = sums.reshape(-1) * len(rows) * len(columns) / (image.shape[0] * image.shape[1])
    away = mean**0.5 - known["means"][label]
    along = away @ known["components"][label].astype(np.float32)
    return float((away**2).sum() - (along**2).sum())


def read(path: Path, how: dict[str, Any]) -> np.ndarray:
    """Return the images of a .npy file, (N, height, width, channels) uint8."""
    if path.suffix != ".npy":
        sys.exit(f"{path}: allowed: images in an array, a .npy file")
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
    seen = rows[..., ::-1] if convention.get("bgr") else rows
    values = rows if layout == "values" else seen * (high - low) / np.float32(255) + low
    values = np.moveaxis(values, -1, 1) if layout == "NCHW" else values
    outputs = predict(folder / artifact, values[..., 0] if layout == "NHW" else values)
    if outputs.shape[1] == 1:  # one number tells two classes apart
        outputs = np.hstack([1 - outputs if kind == "sigmoid" else 0 * outputs, outputs])
    if kind == "logits":
        outputs = np.exp(outputs - outputs.max(axis=1, keepdims=True))
        outputs /= outputs.sum(axis=1, keepdims=True)
    if given:
        rule = manifest.get("novelty")  # a score above its threshold: the image is of none of the classes
        beside = dict(np.load(folder / rule["path"])) if rule else {}
        for image, row in zip(rows, outputs, strict=True):
            is_none = rule and unlike(image, row.argmax(), beside) > rule["threshold"]
            print(f"{'none of these, else ' if is_none else ''}{ascii(classes[row.argmax()])[1:-1]} {row.max():.4f}")
    else:
        same = sum(outputs.argmax(axis=1) == golden[f"recorded/{artifact}"].argmax(axis=1))
        print(f"{artifact}: {same} of {len(known)} predictions are those of the machine that exported it")
        sys.exit(int(same != len(known)))
