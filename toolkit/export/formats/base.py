"""What the formats share: the model made ready, and the calibration images."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from toolkit.convention import Convention

INPUT_NAME = "image"
OUTPUT_NAME = "probabilities"
BATCH_NAME = "batch"


@dataclass(frozen=True)
class Prepared:
    """A Keras model made ready for converters.

    function: a ``tf.function`` {OUTPUT_NAME: …} of INPUT_NAME (batch, H, W, C) float32, whose reshapes do not depend on
    the batch. saved_model: the same as a SavedModel. work: a scratch folder that lasts as long as the export.
    """

    function: Any
    saved_model: Path
    work: Path


@dataclass(frozen=True)
class Request:
    """One conversion. calibration: values of the input, (N, H, W, C) float32, as the convention has them."""

    quantization: str
    calibration: NDArray[np.float32]
    convention: Convention
