"""The spectrogram of a WAV file."""

from pathlib import Path
from typing import Any

import numpy as np

from toolkit.data.base.sound import log_mel, signal_of


def read(path: Path, how: dict[str, Any]) -> np.ndarray:
    """Return the spectrograms of a .npy file, or the one of a .wav file, (N, steps, mels, 1) float32."""
    if path.suffix == ".npy":
        return np.asarray(np.load(path), np.float32)
    return log_mel(signal_of(path, rate=how["spectrogram"]["rate"], length=how["window"]), **how["spectrogram"])[None]


FUNCTIONS = (signal_of, log_mel, read)
