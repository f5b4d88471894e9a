"""Sound: a folder per class with WAV files, each of which becomes one log-mel spectrogram."""

import wave
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from toolkit import units
from toolkit.data.base import Dataset, folders
from toolkit.data.base.folders import Notes
from toolkit.data.base.sound import log_mel, signal_of
from toolkit.data.base.values import Asked
from toolkit.errors import DataError
from toolkit.files import opened
from toolkit.files.damage import decoding
from toolkit.files.memory import check_memory
from toolkit.reading import AS_THEY_ARE, Reading, Spectrogram

SUMMARY = "a folder with one folder of sounds per class: .wav files of 8, 16, 24 or 32 bits"
READS = ("window", "spectrogram")
SUFFIX = folders.WAV
KIND = "sounds"
# Frames of 25 ms every 10 ms, and 40 bands: as in the speech commands of P. Warden, 2018, arXiv:1804.03209.
FRAME_S, HOP_S, MELS = 0.025, 0.010, 40
# Longer sounds are cut off unless --window says otherwise: a model of seconds is no longer one for a small device.
LONGEST_S = 10.0
# Of at least 1,600 samples a second a frame has as many samples as there are bands.
RATES = range(1_600, 400_001)
# Bytes that a sample of a frame takes while a spectrogram is computed: its value under the window, and its part of the
# complex spectrum, of the magnitude and of the power.
FRAME_BYTES = 40
# What to do with other kinds of sound.
_TO_PCM = "convert it: ffmpeg -i IN.wav -c:a pcm_s16le OUT.wav"


def recognises(path: Path) -> bool:
    """Say whether ``path`` is a folder whose folders hold .wav files."""
    return folders.first_suffix(path) == SUFFIX


def load(path: Path, reading: Reading = AS_THEY_ARE) -> Dataset:
    """Read every sound under ``path``: its channels mixed, cut off or filled up to one length, as a spectrogram."""
    tree = folders.find(path, (SUFFIX,), kind=KIND)
    looks = {file: _look(file) for listing in tree.listings.values() for file in listing.files}
    spectrogram = reading.spectrogram or _spectrogram(path, looks)
    length = _length(reading, looks, spectrogram, tree.notes)
    reading = replace(reading, window=length, spectrogram=spectrogram)
    size = len(looks) * _steps(length, spectrogram) * spectrogram.mels * np.dtype(np.float32).itemsize
    check_memory(size, what=f"{path}: its {len(looks):,} spectrograms", error=DataError)
    rows = {
        part: (np.stack([read(file, reading) for file in listing.files]), listing.labels)
        for part, listing in tree.listings.items()
    }
    return tree.dataset(path, rows, reading)


def rows_of(path: Path, reading: Reading) -> Asked:
    """Return the spectrogram of a sound that a model is asked about, (1, steps, mels, 1), and what to call it."""
    rate, frames = _look(path)
    rows = read(path, reading)[np.newaxis]
    seen = reading.window or frames
    longer = f"{path}: lasts {frames / rate:.2f} s; the answer is about its first {seen / rate:.2f} s alone"
    return Asked([str(path)], rows, (longer,) if frames > seen else ())


def read(path: Path, reading: Reading) -> NDArray[np.float32]:
    """Return the spectrogram of a file that was looked at, (steps, mels, 1)."""
    how = reading.spectrogram
    if how is None or reading.window is None:
        raise DataError(f"{path}: nothing says how sounds become spectrograms for this model")
    size = FRAME_BYTES * how.frame * (_steps(reading.window, how) + how.mels)
    check_memory(size, what=f"{path}: its spectrogram", error=DataError)
    with decoding(path, "a sound", error=DataError):
        signal = signal_of(path, rate=how.rate, length=reading.window)
        return log_mel(signal, rate=how.rate, frame=how.frame, hop=how.hop, mels=how.mels)


def _steps(length: int, how: Spectrogram) -> int:
    """Return how many steps the spectrogram of so many samples has."""
    return max(0, length - how.frame) // how.hop + 1


def _look(path: Path) -> tuple[int, int]:
    """Return (samples a second, samples) as the header of a file has them; DataError if it is none of PCM."""
    with opened(path, error=DataError) as file, decoding(path, "a sound of PCM", error=DataError):
        try:
            with wave.open(file) as sound:
                size = sound.getnframes() * sound.getnchannels() * sound.getsampwidth()
                rate, frames = sound.getframerate(), sound.getnframes()
        except (wave.Error, EOFError) as error:
            raise ValueError(f"{str(error) or 'it is cut off'}; {_TO_PCM}") from error
        if size > path.stat().st_size:
            raise ValueError(
                f"its header claims {size:,} bytes of sound, the file has {path.stat().st_size:,}; {_TO_PCM}"
            )
        if not frames or rate not in RATES:
            raise ValueError(f"it has {frames:,} samples, {rate:,} a second; allowed: {RATES[0]:,} to {RATES[-1]:,}")
    return rate, frames


def _spectrogram(path: Path, looks: dict[Path, tuple[int, int]]) -> Spectrogram:
    """Return how sounds become spectrograms by default; DataError unless all have one rate."""
    by_rate: dict[int, list[Path]] = {}
    for file, (rate, _) in looks.items():
        by_rate.setdefault(rate, []).append(file)
    rate = max(by_rate, key=lambda one: len(by_rate[one]))
    if others := [file for one, files in by_rate.items() if one != rate for file in files]:
        named = units.first([file.relative_to(path) for file in others], folders.NAMED)
        raise DataError(
            f"{path}: most sounds have {rate:,} samples a second, {len(others):,} have others ({named}); bring all to "
            f"one rate, for example by: ffmpeg -i IN.wav -ar {rate} OUT.wav"
        )
    return Spectrogram(rate=rate, frame=round(FRAME_S * rate), hop=round(HOP_S * rate), mels=MELS)


def _length(reading: Reading, looks: dict[Path, tuple[int, int]], how: Spectrogram, notes: Notes) -> int:
    """Return how many samples of a sound a model sees: what was asked for, or those of the longest."""
    lengths: Sequence[int] = [frames for _, frames in looks.values()]
    length = reading.window or min(max(lengths), round(LONGEST_S * how.rate))
    if length < how.frame:
        raise DataError(f"--window {length} is less than a frame of {how.frame} samples; choose more samples")
    longer, shorter = sum(one > length for one in lengths), sum(one < length for one in lengths)
    if reading.window is None and (longer or shorter):
        notes.add(
            f"sounds become {length:,} samples long ({length / how.rate:.2f} s): of {len(lengths):,}, {longer:,} are "
            f"cut off and {shorter:,} filled up with silence; --window SAMPLES says otherwise"
        )
    return length
