"""``golden.npz``: recorded inputs and outputs, so that a device without TensorFlow and without data can compare."""

import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from toolkit.errors import ArtifactError
from toolkit.files import atomic

GOLDEN = "golden.npz"
_RECORDED = "recorded/"


@dataclass(frozen=True)
class Golden:
    """Images with the outputs that they had on the machine that exported.

    images: (N, H, W, C) uint8. labels: (N,) int64. reference: the Keras outputs, (N, classes) float32. recorded: the
    outputs of each artifact, by its path in the manifest, (N, classes) float32.
    """

    images: NDArray[np.uint8]
    labels: NDArray[np.int64]
    reference: NDArray[np.float32]
    recorded: dict[str, NDArray[np.float32]]

    def write(self, path: Path) -> None:
        """Write the file atomically; the same content gives the same bytes."""
        arrays: dict[str, Any] = {"images": self.images, "labels": self.labels, "reference": self.reference}
        arrays |= {f"{_RECORDED}{name}": outputs for name, outputs in self.recorded.items()}
        with atomic(path) as temporary:
            np.savez_compressed(temporary, **arrays)


def read(path: Path) -> Golden:
    """Read a golden; ArtifactError where it is missing, damaged or not one."""
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            recorded = {key.removeprefix(_RECORDED): arrays[key] for key in arrays.files if key.startswith(_RECORDED)}
            return Golden(arrays["images"], arrays["labels"], arrays["reference"], recorded)
    except FileNotFoundError as error:
        raise ArtifactError(f"{path}: no such file; 'toolkit export' writes it") from error
    except (OSError, EOFError, ValueError, KeyError, zipfile.BadZipFile) as error:
        raise ArtifactError(f"{path}: cannot be read as a golden: {error}") from error
