"""Data sets: IDX files, archives of arrays, tables, folders of images, recordings or sounds; rows to ask about."""

import gzip
import wave

import numpy as np
from PIL import Image

from tests.fuzz import changes, made
from tests.fuzz.target import Target
from toolkit import data
from toolkit.data.base import idx_header
from toolkit.data.idx import FILES
from toolkit.reading import AS_THEY_ARE, LABEL, Reading, Spectrogram

TRAINING, TEST = 30, 12
RATE = 2000


def _idx(suffix, pack):
    def prepare(folder):
        for name in FILES:
            count = TRAINING if name.startswith("train") else TEST
            values = made.pixels(count, 6, 6, seed=count) if "images" in name else made.labels(count)
            (folder / f"{name}{suffix}").write_bytes(pack(idx_header(values.shape) + values.tobytes()))
        return [folder / f"{FILES[0]}{suffix}", folder / f"{FILES[3]}{suffix}"]

    return prepare


def _npz(folder):
    arrays = {"x_train": made.pixels(TRAINING, 6, 6), "y_train": made.labels(TRAINING)}
    arrays |= {"x_test": made.pixels(TEST, 6, 6, seed=1), "y_test": made.labels(TEST)}
    np.savez_compressed(folder / "data.npz", **arrays)
    return [folder / "data.npz"]


def _folders(folder):
    paths = []
    for name in ("cats", "dogs"):
        (folder / name).mkdir()
        for number in range(8):
            paths.append(folder / name / f"{number}.png")
            Image.fromarray(made.pixels(6, 6, seed=len(paths))).save(paths[-1])
    return [paths[0]]


def _floats(folder):
    """Make windows of sensors, (N, steps, channels)."""
    values = np.random.default_rng(0).normal(size=(TRAINING + TEST, 5, 2)).astype(np.float32)
    arrays = {"x_train": values[:TRAINING], "y_train": made.labels(TRAINING)}
    np.savez_compressed(folder / "data.npz", **arrays, x_test=values[TRAINING:], y_test=made.labels(TEST))
    return [folder / "data.npz"]


def table(path, classes="abc"):
    """Write a table of two columns and a label."""
    lines = [f"{row},{-row / 7:.3f},{classes[row % 3]}" for row in range(TRAINING)]
    path.write_text("\n".join(("length,width,species", *lines, "")))
    return path


def recording(path):
    """Write a table of three columns of numbers."""
    return table(path, "123")


def sound(path, samples=400):
    """Write a sound of PCM in 16 bits."""
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(made.pixels(2 * samples).tobytes())
    return path


def by_class(write, suffix):
    """Return how a folder is made with two files a class."""

    def prepare(folder):
        paths = [folder / name / f"{number}{suffix}" for name in ("calm", "loud") for number in range(2)]
        for path in paths:
            path.parent.mkdir(exist_ok=True)
            write(path)
        return paths[:1]

    return prepare


def _rows(folder):
    """Make a file of each kind of rows that models are asked about."""
    np.save(folder / "rows.npy", np.zeros((3, 2), np.float32))
    return [folder / "rows.npy", table(folder / "rows.csv"), sound(folder / "rows.wav")]


def _read_rows(folder):
    tables = Reading(keys={LABEL: "species"}, columns=("length", "width"))
    recordings = Reading(columns=("length", "width"), window=4, stride=2)
    sounds = Reading(window=400, spectrogram=Spectrogram(rate=RATE, frame=25, hop=10, mels=8))
    for name, reading in (("npy", AS_THEY_ARE), ("csv", tables), ("csv", recordings), ("wav", sounds)):
        data.rows_of(folder / f"rows.{name}", reading, (2,))


def _load(name):
    def read(folder):
        data.load(str(folder / name), warn=lambda text: None).describe_test()

    return read


TARGETS = {
    "IDX": Target(500, _idx("", bytes), _load(""), changes.as_bytes),
    "compressed IDX": Target(300, _idx(".gz", gzip.compress), _load(""), changes.as_gzip),
    "data in an archive of arrays": Target(500, _npz, _load("data.npz"), changes.as_zip),
    "data of floats": Target(200, _floats, _load("data.npz"), changes.as_zip),
    "folder of images": Target(200, _folders, _load(""), changes.as_bytes),
    "table": Target(300, lambda folder: [table(folder / "data.csv")], _load("data.csv"), changes.as_bytes),
    "recordings": Target(200, by_class(recording, ".csv"), _load(""), changes.as_bytes),
    "sounds": Target(300, by_class(sound, ".wav"), _load(""), changes.as_bytes),
    "rows to ask about": Target(400, _rows, _read_rows, changes.as_bytes),
}
