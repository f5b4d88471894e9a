"""Classify image files with one artifact."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from toolkit import images, manifest, runtimes
from toolkit.errors import ArtifactError
from toolkit.files.memory import check_memory
from toolkit.manifest import MANIFEST

# Data sets of handwritten digits: photos are brought to their form. Others are only scaled.
DIGITS = ("mnist", "sample")


@dataclass(frozen=True)
class Prediction:
    """The two likeliest classes of one image, the likeliest first."""

    image: str
    classes: tuple[str, str]
    probabilities: tuple[float, float]


def default_model(folder: Path) -> Path:
    """Return the most accurate verified artifact under ``folder`` that runs here, of equals the smallest.

    Artifacts that were not verified come last, those that failed never.
    """
    choices = []
    for path in folder.glob(f"*/{MANIFEST}"):
        found = manifest.read(path.parent)
        for artifact in found.artifacts:
            file = found.folder / artifact.path
            if artifact.verdict != "fail" and file.is_file() and runtimes.installed(runtimes.for_file(file)):
                choices.append((-(artifact.accuracy or 0.0), artifact.size_bytes, file))
    if not choices:
        raise ArtifactError(f"{folder}: no artifact there that an installed runtime runs; name one by --model")
    return min(choices)[-1]


def predict(files: Sequence[Path], model: Path) -> list[Prediction]:
    """Return the prediction for each image file; DataError or ArtifactError where one cannot be made."""
    found = manifest.listing(model)
    session = runtimes.open_session(model)
    shape = session.input.shape[1:]
    sizes = [size for size in shape if size is not None]
    if len(sizes) != 3 or sizes[2] not in (1, 3):
        raise ArtifactError(f"{model}: takes {shape}; allowed: (height, width, 1 or 3) images")
    height, width, channels = sizes
    # Its pixels, and as float32: the scaled ones of a batch, and those of all images beside.
    check_memory(len(files) * height * width * channels * 5, what=f"{model}: its input {shape}", error=ArtifactError)
    digits = channels == 1 and (found is None or found.data["name"] in DIGITS)
    pixels = np.stack([_prepare(file, height, width, channels, digits=digits) for file in files])
    outputs = session.predict(pixels)
    if outputs.ndim != 2 or outputs.shape[1] < 2:
        raise ArtifactError(f"{model}: its output is {outputs.shape}; a classifier's is (batch, classes)")
    names = found.data["classes"] if found else [str(label) for label in range(outputs.shape[1])]
    if len(names) != outputs.shape[1]:
        raise ArtifactError(f"{model}: tells {outputs.shape[1]} classes apart, its manifest names {len(names)}")
    order = np.argsort(-outputs, axis=1)
    return [
        Prediction(
            image=str(file),
            classes=(names[first], names[second]),
            probabilities=(float(row[first]), float(row[second])),
        )
        for file, row, (first, second) in zip(files, outputs, order[:, :2], strict=True)
    ]


def _prepare(file: Path, height: int, width: int, channels: int, *, digits: bool) -> NDArray[np.uint8]:
    pixels = images.read(file, channels=channels)
    if digits:
        return images.to_digit(pixels, height=height, width=width, what=str(file))
    return images.fit(pixels, height=height, width=width)
