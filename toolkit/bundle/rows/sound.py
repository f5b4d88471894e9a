"""The spectrogram of a WAV file."""

import sys
from pathlib import Path
from typing import Any

import numpy as np

from toolkit.data.base.sound import log_mel, signal_of


def read(path: Path, how: dict[str, Any]) -> np.ndarray:
    """Return the spectrograms of a .npy file, or the one of a .wav file, (N, steps, mels, 1) float32."""
    import wave

    if path.suffix == ".npy":
        return np.asarray(np.load(path), np.float32)
    rate, length = how["spectrogram"]["rate"], how["window"]
    with wave.open(str(path)) as sound:
        if sound.getnframes() > length:
            sys.stderr.write(f"{path}: the answer is about its first {length / rate:.2f} s alone\n")
    return log_mel(signal_of(path, rate=rate, length=length), **how["spectrogram"])[None]


FUNCTIONS = (signal_of, log_mel, read)
