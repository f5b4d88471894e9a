"""A WAV file to the log-mel spectrogram that a model sees: two functions that stand in ``classify.py`` as well."""

from pathlib import Path

import numpy as np


def signal_of(path: Path, *, rate: int, length: int) -> np.ndarray:
    """Return the first ``length`` samples of a PCM file, the mean of its channels from -1 to 1, then silence."""
    import wave

    with wave.open(str(path)) as sound:
        channels, width = sound.getnchannels(), sound.getsampwidth()
        if sound.getframerate() != rate:
            raise ValueError(f"{sound.getframerate():,} samples a second; the model takes {rate:,}")
        data = np.frombuffer(sound.readframes(min(length, sound.getnframes())), np.uint8)
    whole = np.zeros((data.size // width, 4), np.uint8)  # the bytes of an integer of 32 bits, the highest last
    whole[:, 4 - width :] = data.reshape(-1, width) ^ (128 if width == 1 else 0)  # 8 bits are from 0, others from -
    signal = whole.view("<i4").reshape(-1, channels).mean(axis=1) / 2**31
    return np.pad(signal, (0, length - len(signal)))


def log_mel(signal: np.ndarray, *, rate: int, frame: int, hop: int, mels: int) -> np.ndarray:
    """Return the log-mel spectrogram of a signal, (steps, mels, 1) float32.

    Each ``hop`` samples begins a frame of ``frame``, under a Hann window; its power spectrum is weighted by ``mels``
    triangles of equal width in mel = 2595 log10(1 + Hz / 700).
    """
    starts = np.arange(0, len(signal) - frame + 1, hop)
    frames = signal[starts[:, None] + np.arange(frame)] * (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(frame) / frame))
    points = 1 << (frame - 1).bit_length()
    power = np.abs(np.fft.rfft(frames, points)) ** 2
    edges = 700 * (10 ** (np.linspace(0, 2595 * np.log10(1 + rate / 1400), mels + 2) / 2595) - 1)
    hertz = np.arange(points // 2 + 1)[:, None] * rate / points
    rising = (hertz - edges[:-2]) / (edges[1:-1] - edges[:-2])
    falling = (edges[2:] - hertz) / (edges[2:] - edges[1:-1])
    weights = np.clip(np.minimum(rising, falling), 0, None)
    return np.asarray(np.log(power @ weights + 1e-6)[..., None], np.float32)
